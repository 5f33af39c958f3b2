/** The users whom logins of this run have shown, LOG-02 and LOG-03. */
import { ROLES, sameAddress } from './users.js';
import { Blocked, type Check, type Account, Unverified } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { firstSession } from '../tokens/lifetimes.js';
import { registered, firstLoginOf } from './accounts.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** What of a `user` is not as the guide has it. */
export function faultsOfUser(user: Readonly<Record<string, unknown>>): string[] {
  const account = (typeof user['account'] === 'object' ? user['account'] : undefined) as
    Record<string, unknown> | null | undefined;
  return [
    !Number.isInteger(user['id']) && '`id` is not an integer',
    ...['email', 'username'].map((name) => typeof user[name] !== 'string' && `\`${name}\` is not a string`),
    !ROLES.includes(String(user['role'])) && `\`role\` is ${JSON.stringify(user['role'] ?? 'missing')}`,
    ...['id', 'name', 'slug'].map((name) => account?.[name] === undefined && `\`account.${name}\` is missing`),
    ...['name', 'slug'].map(
      (name) =>
        account?.[name] !== undefined && typeof account[name] !== 'string' && `\`account.${name}\` is not a string`,
    ),
  ].filter((fault) => fault !== false);
}

/** The users that logins of this run have shown: of the owner, of the viewer, and of somebody who has just registered. */
export async function shownUsers(check: Check): Promise<{ name: string; account: Account; reply: Reply }[]> {
  const { account, reply } = await firstSession(check);
  const users = [{ name: 'the owner', account, reply }];
  const { viewer } = check.target;
  if (viewer !== undefined)
    users.push({
      name: 'the viewer',
      account: viewer,
      reply: await check.memo('viewer', () => check.api.login(viewer)),
    });
  if (!check.accounts.canRegister) return users;
  const made = await registered(check);
  return [...users, { name: 'who has just registered', account: made.account, reply: await firstLoginOf(check) }];
}

const BEYOND_ASCII = /[^\x20-\x7e]/;

/** A login shows the user who logged in. */
export function expectShown(account: Account, reply: Reply): void {
  const { email, username } = reply.user;
  if (reply.status !== 200 || email === undefined) throw new Unverified(`Login shows no e-mail: ${seenStatus(reply)}.`);
  // Whether letters beyond ASCII come back as they were sent is ROB-09's question.
  const [sent = '', shown] = [account.username, username];
  if (sameAddress(email, account.email) && BEYOND_ASCII.test(sent) && shown !== undefined && shown !== sent)
    throw new Blocked('ROB-09', 'a user name beyond ASCII comes back changed', reply.exchange);
  expect(reply, 'the user returned').toSatisfy(
    sameAddress(email, account.email) &&
      (account.username === undefined || username === undefined || username === account.username),
    'the one who logged in',
    'another one',
  );
}
