/** Well-signed tokens for users who do not exist (UNA-16). */
import { type Check, Blocked, Unverified } from '../../../fixtures/check/check.js';
import { readToken, rotatesResigned } from './signing-key.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { resign } from '../../../fixtures/evidence/jwt.js';
import type { Row } from '../../../fixtures/check/judging.js';
import { otherOrigins } from './token-origins.js';

interface Nobody {
  readonly name: string;
  readonly id: unknown;
  /** Not asked of refresh tokens, for which one of its kind stands. */
  readonly accessOnly?: true;
}

/** Claims of users who do not exist. */
export function nobodies(genuine: unknown): Nobody[] {
  const text = typeof genuine === 'string';
  const id = (digits: string): unknown => (text ? digits : Number(digits));
  return [
    { name: 'an id that nobody has', id: id('2000000011') },
    { name: 'an id beyond 32 bits', id: id('4294967297') },
    { name: 'an id beyond 64 bits', id: text ? '18446744073709551617' : 1e20 },
    { name: 'a negative id', id: id('-1'), accessOnly: true },
    { name: 'the id 0', id: id('0') },
    { name: 'no `user_id`', id: undefined },
    { name: '`user_id` null', id: null },
    { name: '`user_id` a boolean', id: true, accessOnly: true },
    { name: '`user_id` an empty string', id: '', accessOnly: true },
    { name: '`user_id` a string that is not an id', id: 'nobody' },
    { name: '`user_id` a string with SQL', id: "1' OR '1'='1" },
    { name: '`user_id` a very long string', id: '1'.repeat(500), accessOnly: true },
    { name: '`user_id` an array', id: [1], accessOnly: true },
    { name: '`user_id` an object', id: { id: 1 } },
  ];
}

/** The claims by which a token names its user: who is named twice is changed twice, because a server may go by either. */
export function subjectsOf(
  check: Check,
  token: string,
): { readonly names: readonly string[]; readonly genuine: unknown } {
  const { subject } = check.target.dialect;
  const { claims } = readToken(token);
  const genuine = claims[subject];
  if (genuine === undefined) throw new Blocked('TOK-04', `the token has no \`${subject}\``);
  const names = [...new Set([subject, 'user_id', 'sub', 'uid', 'id'])];
  return { genuine, names: names.filter((name) => String(claims[name]) === String(genuine)) };
}

interface Nobodys extends Row {
  readonly made: string;
  readonly ask: (token: string) => Promise<Reply>;
}

/** Access tokens for nobody, made of this one, and the plainest of those of every other origin. */
export async function accessOfNobody(check: Check, access: string, key: string): Promise<Nobodys[]> {
  const { names, genuine } = subjectsOf(check, access);
  const all = (id: unknown): Record<string, unknown> => Object.fromEntries(names.map((name) => [name, id]));
  const rows = nobodies(genuine);
  const nobody = all(rows[0]?.id);
  const made = [
    ...rows.map(({ name, id }) => ({ name, made: resign(access, key, { claims: all(id) }) })),
    // Refused, or read as its last field has it: RFC 7519 §4 allows no third way.
    {
      name: '`user_id` twice, the second one an id that nobody has',
      made: resign(access, key, { behind: nobody }),
    },
    ...(await otherOrigins(check)).map(({ name, access: token }) => ({
      name: `an id that nobody has, in a token of ${name}`,
      made: resign(token, key, { claims: nobody }),
    })),
  ];
  return made.map((row) => ({ ...row, ask: check.askProtected }));
}

/** The same as refresh tokens; none where the target takes no refresh token that it did not issue, or none that names a user. */
export async function refreshOfNobody(check: Check, key: string): Promise<Nobodys[]> {
  const { chain } = await check.expendable();
  try {
    await rotatesResigned(check, chain, key);
    const { names, genuine } = subjectsOf(check, chain.refresh);
    const ask = (token: string): Promise<Reply> => check.api.refresh(token);
    return nobodies(genuine)
      .filter(({ accessOnly }) => accessOnly !== true)
      .map(({ name, id }) => {
        const claims = Object.fromEntries(names.map((claim) => [claim, id]));
        return { name: `as refresh token: ${name}`, made: resign(chain.refresh, key, { claims }), ask };
      });
  } catch (error) {
    if (!(error instanceof Unverified || error instanceof Blocked)) throw error;
    check.measure('as refresh token', `not asked: ${error.message}`);
    return [];
  } finally {
    // What names another user than its chain may end the chain.
    chain.invalidate();
  }
}
