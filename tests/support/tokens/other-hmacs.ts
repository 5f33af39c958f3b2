/** Tokens signed with the right key, but by another HMAC or with an odd header (UNA-17). */
import { FORGERIES, flipped } from './forgeries.js';
import { readToken, rotatesResigned } from './signing-key.js';
import type { Check } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { resign } from '../../../fixtures/evidence/jwt.js';

/** The target's other HMACs, as forgeries by its key. */
export function otherHmacs(access: string): typeof FORGERIES {
  const { alg } = readToken(access).header;
  return FORGERIES.filter(({ clause: owner, name }) => owner === 'UNA-17' && !name.startsWith(String(alg)));
}

/** Refresh tokens by another HMAC; none where no signature counts there, which REF-11 says. */
export async function refreshByOtherHmac(
  check: Check,
  key: string,
): Promise<{ name: string; token: string; ask: (token: string) => Promise<Reply> }[]> {
  const mine = await check.provenChain();
  await rotatesResigned(check, mine, key);
  const { parts } = readToken(mine.refresh);
  const broken = await check.api.refresh(`${parts[0]}.${parts[1]}.${flipped(parts[2], 'first')}`);
  const { refresh } = mine;
  // One of them may be taken for the genuine one.
  mine.invalidate();
  if (broken.status < 400) return [];
  const ask = (token: string): Promise<Reply> => check.api.refresh(token);
  const genuine = readToken(refresh);
  return Promise.all(
    otherHmacs(refresh).map(async ({ name, forge }) => ({
      name: `a refresh token, ${name}`,
      token: await forge(genuine, { key }),
      ask,
    })),
  );
}

/** Well signed, and odd: RFC 7515 §4.1.11 asks to refuse the first, of the others it says nothing. */
export async function measureOddHeaders(check: Check, access: string, key: string): Promise<void> {
  const odd = {
    'an unknown critical extension': { crit: ['x-conformance'], 'x-conformance': true },
    'another `typ`': { typ: 'at+jwt' },
    'an unknown header parameter': { 'x-conformance': true },
  };
  for (const [name, header] of Object.entries(odd)) {
    const { status } = await check.askProtected(resign(access, key, { header }));
    check.measure(`well signed, with ${name}`, status === 200 ? 'accepted' : `refused (${String(status)})`);
  }
}
