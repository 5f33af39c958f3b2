/** JSON that two parsers read differently: fields that stand twice, and names that have a meaning in JavaScript (ROB-06). */
import { Blocked, type Check, type Chain } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { aKeyword } from '../access/resources.js';
import { type Judged, Victims } from '../accounts/accounts.js';
import { poisoned, PLANTED } from './bad-input.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

export function asRefresh(check: Check, body: string): Promise<Reply> {
  const headers = [['content-type', 'application/json'] as const];
  return check.raw({ method: 'POST', path: check.api.path('refresh'), headers, body });
}

/** The field that this target reads. */
export function refreshField({ target }: Check): string {
  return target.dialect.refreshField;
}

/** Two fields of one name, one of them valid: refused, whichever of the two a parser would take (RFC 8259 §4). */
export async function refreshTwice(check: Check, mine: Chain): Promise<void> {
  await mine.rotate();
  const [live, other] = [JSON.stringify(mine.refresh), '"not-a-token"'];
  const field = refreshField(check);
  // An escape spells the same name (RFC 8259 §8.3).
  const escaped = `\\u${field.charCodeAt(0).toString(16).padStart(4, '0')}${field.slice(1)}`;
  for (const [what, body] of [
    ['the live one first', `{"${field}":${live},"${field}":${other}}`],
    ['the live one last', `{"${field}":${other},"${field}":${live}}`],
    ['the second name spelled with an escape', `{"${field}":${other},"${escaped}":${live}}`],
  ] as const) {
    const reply = await asRefresh(check, body);
    if (reply.status < 400) mine.invalidate();
    expect(reply, what).toBeRefused();
  }
  await mine.rotate();
}

/** Sends a body as it stands to the creation of keywords. */
function createdBy(check: Check, access: string, body: string): Promise<Reply> {
  const headers = [['content-type', 'application/json'] as const, ['authorization', `Bearer ${access}`] as const];
  return check.raw({ method: 'POST', path: check.api.path('createKeyword'), headers, body });
}

/** JSON of two objects in one: each field of the second stands twice. @param escaped its names spelled with an escape (RFC 8259 §8.3) */
function twice(one: object, other: object, escaped = false): string {
  const second = JSON.stringify(other).slice(1);
  const spelled = escaped
    ? second.replace(/^"(.)/, (_, letter: string) => `"\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : second;
  return `${JSON.stringify(one).slice(0, -1)},${spelled}`;
}

export async function keywordTwice(check: Check, escaped: boolean): Promise<void> {
  const { access } = await check.session();
  const reply = await createdBy(check, access, twice(aKeyword(check).body, aKeyword(check).body, escaped));
  expect(reply).toBeRefused();
}

/** Credentials of which one stands twice, once right and once wrong: whoever takes the one or the other logs in. */
export function loginTwice(check: Check): Judged[] {
  const victims = new Victims(check);
  const rows = [
    { name: 'the right password last', first: { password: check.newAccount().password }, escaped: false },
    {
      name: 'the right password last, its name spelled with an escape',
      first: { password: check.newAccount().password },
      escaped: true,
    },
  ];
  return rows.map(({ name, first, escaped }) => ({
    name: `login with \`password\` twice, ${name}`,
    judge: async () => {
      const { email, password } = await victims.next();
      const headers = [['content-type', 'application/json'] as const];
      const body = twice({ email, ...first }, { password }, escaped);
      expect(
        await check.raw({ method: 'POST', path: check.api.path('login'), headers, body, mayLock: true }),
      ).toBeRefused();
    },
  }));
}

/** `__proto__` and `constructor` next to a valid keyword: refused, or without effect on this response and the next. */
export async function poisonedKeyword(check: Check): Promise<void> {
  const { access } = await check.session();
  const reply = await createdBy(check, access, poisoned(aKeyword(check).body));
  expect(reply).toSatisfy(reply.status < 500, 'refused, or without effect', seenStatus(reply));
  const id = reply.payload?.['id'];
  expect(reply, 'the id of the new keyword').toSatisfy(id !== PLANTED.id, "the server's own", 'the one that was sent');
  const next = await check.askProtected(access);
  expect(next, 'the next response').toSatisfy(
    !next.text.includes(PLANTED.member),
    'as if nothing had been sent',
    'a field that the request before it had planted',
  );
}

/** The fields of a good keyword, but in `__proto__`: none of them is a field of the body. */
export async function keywordInPrototype(check: Check): Promise<void> {
  const { access } = await check.session();
  const fields = JSON.stringify(aKeyword(check).body);
  const reply = await createdBy(check, access, `{"__proto__":${fields}}`);
  if (reply.status < 300 && (await createdBy(check, access, '{}')).status < 300)
    throw new Blocked('ROB-07', 'a keyword without any field is taken', reply.exchange);
  expect(reply).toBeRefused();
}

/** The field `refresh`, but in `__proto__` and `constructor`: it is no field of the body. */
export async function refreshInPrototype(check: Check): Promise<void> {
  const inner = JSON.stringify({ [refreshField(check)]: 'x' });
  const body = `{"__proto__":${inner},"constructor":{"prototype":${inner}}}`;
  expect(await asRefresh(check, body)).toBeRefused();
}

/** Keywords in JSON that is odd. */
export function oddKeywords(check: Check): Judged[] {
  return [
    { name: '`__proto__` and `constructor` next to a valid keyword', judge: () => poisonedKeyword(check) },
    { name: '`__proto__` instead of a valid keyword', judge: () => keywordInPrototype(check) },
    { name: 'a valid keyword with one field twice', judge: () => keywordTwice(check, false) },
    { name: 'the same, with one name spelled with an escape', judge: () => keywordTwice(check, true) },
  ];
}
