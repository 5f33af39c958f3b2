/** Logins that meet: two of one user (LOG-10), and several of different users at the same moment (LOG-15). */
import { Blocked, Unverified, type Account, type Check, type Session } from '../../../fixtures/check/check.js';
import { expect } from '../../../fixtures/check/expect.js';
import { decode } from '../../../fixtures/evidence/jwt.js';
import { Reply } from '../../../fixtures/evidence/reply.js';
import { accountId, otherTenant } from '../access/resources.js';
import { sameAddress } from './users.js';
import { firstSession } from '../tokens/lifetimes.js';

export interface Known {
  readonly account: Account;
  readonly subject: unknown;
  /** The id of the tenant; undefined where login does not show it. */
  readonly tenant: unknown;
}

/** Two users, and how each is told from the other: the e-mail in `user`, and the subject of the access token. */
export async function twoUsers(check: Check): Promise<Known[]> {
  // Where a user has one session, these logins would end the one that other checks have of the given accounts.
  const apart = check.target.dialect.sessions !== 'many' && check.accounts.canRegister;
  // Of another account where there is one: what is the same for both tells nothing.
  const made = apart ? await check.registerAccount() : (await otherTenant(check))?.credentials;
  const other = made ?? check.target.viewer;
  if (other === undefined) {
    throw new Unverified('There is only one account in this run: set IGNY8_VIEWER_EMAIL and IGNY8_VIEWER_PASSWORD.');
  }
  const users = [];
  for (const account of [await check.owner(), other]) {
    const { access, user } = await check.session(account);
    if (user['email'] !== undefined && !sameAddress(user['email'], account.email))
      throw new Blocked('LOG-03', 'login returns a different user from the one who logged in');
    users.push({ account, subject: decode(access)?.claims[check.target.dialect.subject], tenant: accountId(user) });
  }
  return users;
}

/** Each response has the user who logged in, a token of his own, and none that another user got. */
export function expectOwnLogins(check: Check, users: readonly Known[], replies: readonly unknown[]): void {
  const owners = new Map<string, unknown>();
  const namedByRefresh = new Map<unknown, Known>();
  for (const [i, reply] of replies.entries()) {
    const user = users[i % users.length];
    if (!(reply instanceof Reply)) throw reply;
    if (user === undefined) continue;
    const { user: shown, access, refresh } = check.sessionOf(reply, user.account);
    const subjectOf = (token: string): unknown => decode(token)?.claims[check.target.dialect.subject];
    const [subject, ofRefresh] = [subjectOf(access), subjectOf(refresh)];
    // Whatever a refresh token calls its user, it is no other user's name.
    const named = ofRefresh === undefined ? user : (namedByRefresh.get(ofRefresh) ?? user);
    namedByRefresh.set(ofRefresh, named);
    expect(reply, 'the user of the refresh token').toSatisfy(
      named === user || named.subject === user.subject,
      'the one who logged in',
      'one who logged in at the same moment',
    );
    expect(reply, 'the user and the access token').toSatisfy(
      (shown['email'] === undefined || sameAddress(shown['email'], user.account.email)) &&
        subject === user.subject &&
        accountId(shown) === user.tenant,
      'those of the user who logged in, with their own account',
      "another user's",
    );
    for (const token of [access, refresh]) {
      const before = owners.get(token) ?? user;
      expect(reply, 'its tokens').toSatisfy(before === user, 'given to no other user', "the same as another user's");
      owners.set(token, user);
    }
  }
}

/** Another login of the same account: the second one of LOG-10. */
export async function secondLogin(check: Check): Promise<Session> {
  const session = await check.login((await firstSession(check)).account);
  await check.returnChain(session);
  return session;
}

/** Two logins of one account at the same moment. */
export async function twoAtOnce(check: Check): Promise<[Session, Session]> {
  const account = await check.ownAccount();
  const { email, password } = account;
  const request = check.api.request('login', { email, password });
  const [one, other] = (await check.sender.sendAtOnce([request, request])).map((reply) => {
    if (!(reply instanceof Reply)) throw reply;
    return check.sessionOf(reply, account);
  });
  if (one === undefined || other === undefined) throw new Unverified('Two simultaneous logins got no response.');
  return [one, other];
}
