/** Two users who are nearly the same: whoever looks somebody up by less than the whole takes one for the other (REG-14, LOG-03). */
import { portable, replyOf } from '../../../fixtures/check/portable.js';
import { Unverified, type Check, type NewAccount } from '../../../fixtures/check/check.js';
import { expect } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { local, registerWith } from './register-tables.js';
import { exactUser } from '../responses/exact.js';
import { accountId } from '../access/resources.js';

interface Pair extends Row {
  readonly of: (plain: NewAccount) => readonly [Partial<NewAccount>, Partial<NewAccount>];
}

/** Sixteen letters that no transliteration to ASCII keeps. */
const HAN = Array.from('天地玄黄宇宙洪荒日月盈昃辰宿列张');

/** The part of a user name that is its own. */
const unique = (username: string): string => username.slice(-8);

const inHan = (text: string): string => text.replace(/\w/g, (letter) => HAN[parseInt(letter, 36) % HAN.length] ?? '');

export const PAIRS: readonly Pair[] = [
  {
    name: 'e-mails that differ in their tag, user names that differ in punctuation and letter case',
    of: ({ email, username }) => [
      { email: local(email, '+one'), username: `ada.l${unique(username)}` },
      { email: local(email, '+two'), username: `Ada-L${unique(username).toUpperCase()}` },
    ],
  },
  {
    name: 'e-mails that differ in a dot, user names that have no Latin letter in common',
    of: ({ email, username }) => [
      { email: local(email, 'xy'), username: `用户甲${inHan(unique(username))}` },
      { email: local(email, 'x.y'), username: `用户乙${inHan(unique(username))}` },
    ],
  },
];

/** One of two, with what register and login said of them. */
interface OneOfTwo {
  readonly account: NewAccount;
  readonly reply: Reply;
  readonly login?: Reply;
}

type Sent = ReturnType<typeof portable>;

interface Kept {
  readonly made: readonly { account: NewAccount; reply: Sent; login: Sent }[];
  /** Why there are no two. */
  readonly refused?: string;
}

/**
 * Both of a pair, registered and then logged in, once per run.
 * @returns undefined where register refuses the second because of the first, or either of them as it is
 */
export async function madeAlike(check: Check, pair: Pair): Promise<Required<OneOfTwo>[] | undefined> {
  const { made, refused } = await check.once<Kept>(`pair: ${pair.name}`, async () => {
    const accounts: { account: NewAccount; reply: Sent }[] = [];
    for (const fields of pair.of(check.newAccount())) {
      const { account, reply } = await registerWith(check, fields);
      if (reply.status >= 400) return { made: [], refused: String(reply.status) };
      accounts.push({ account, reply: portable(reply) });
    }
    const kept = [];
    for (const one of accounts) kept.push({ ...one, login: portable(await check.api.login(one.account)) });
    return { made: kept };
  });
  if (refused !== undefined) {
    check.note(`register refuses one of the two, with ${refused}`);
    return undefined;
  }
  return made.map(({ account, reply, login }) => ({ account, reply: replyOf(reply), login: replyOf(login) }));
}

/** The accounts of two users, as register or login tells them, are two. */
export async function expectTwoAccounts(check: Check, both: readonly OneOfTwo[]): Promise<void> {
  const ids: unknown[] = [];
  for (const { account, reply, login } of both)
    ids.push(accountId(exactUser(reply)) ?? accountId(exactUser(login ?? (await check.login(account)).reply)));
  const last = both.at(-1);
  if (ids.includes(undefined) || last === undefined)
    throw new Unverified('Neither register nor login tells which account was made.');
  expect(last.reply, 'the accounts of two registrations').toSatisfy(
    ids[0] !== ids[1],
    'two different ones',
    'the same one',
  );
}
