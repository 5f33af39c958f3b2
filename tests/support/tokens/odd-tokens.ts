/** Tokens that are well signed, or deeply nested, and odd (ROB-06). */
import { type Check, type Chain, Unverified } from '../../../fixtures/check/check.js';
import { keyIfProven, rotatesResigned } from './signing-key.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { resign } from '../../../fixtures/evidence/jwt.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import { notOpenToEverybody, isRefusedHere } from '../access/unauthenticated.js';
import type { Judged } from '../accounts/accounts.js';
import { deepTokens } from '../bodies/bad-input.js';

/** Well signed, and with something odd in its payload: refused or not, but nothing falls over. */
export async function oddClaims(check: Check, mine: Chain): Promise<void> {
  const { access } = await check.session();
  const key = await keyIfProven(check, access);
  if (key === undefined) return;
  const takesRefresh = await rotatesResigned(check, mine, key).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Unverified) return false;
      throw error;
    },
  );
  const odd: { name: string; claims: Record<string, unknown> }[] = [
    { name: '`exp` a string', claims: { exp: 'tomorrow' } },
    { name: '`exp` an array', claims: { exp: [4_000_000_000] } },
    { name: '`exp` far beyond any calendar', claims: { exp: 1e300 } },
    { name: '`iat` a string', claims: { iat: 'yesterday' } },
    { name: '`nbf` an object', claims: { nbf: {} } },
    { name: 'no `jti`', claims: { jti: undefined } },
  ];
  const spend = async (claims: Record<string, unknown>): Promise<Reply> => {
    const reply = await check.api.refresh(resign(mine.refresh, key, { claims }));
    if (reply.status === 200) mine.advance(reply);
    return reply;
  };
  for (const { name, claims } of odd) {
    const opened = await check.askProtected(resign(access, key, { claims }));
    const answers: [string, Reply][] = [['an access', opened]];
    if (takesRefresh) answers.push(['a refresh', await spend(claims)]);
    for (const [kind, reply] of answers) {
      expect(reply, `${kind} token with ${name}`).toSatisfy(
        reply.status < 500,
        'anything but a 5xx',
        seenStatus(reply),
      );
    }
  }
}

export async function deepBearer(check: Check, token: string): Promise<void> {
  const reply = await check.askProtected(token);
  await notOpenToEverybody(check, reply.status);
  if (!isRefusedHere(check, reply)) expect(reply).toBeRefused();
}

/** Deeply nested tokens, in both places that a token has. */
export function deepTokenRows(check: Check): Judged[] {
  return deepTokens().flatMap(({ name, token, asBearer }) => [
    ...(asBearer ? [{ name: `${name}, as bearer`, judge: () => deepBearer(check, token) }] : []),
    {
      name: `${name}, as refresh token`,
      judge: async () => {
        expect(await check.raw(check.api.refreshRequest(token))).toBeRefused();
      },
    },
  ]);
}
