/** The target's signing key, and what it takes before anything signed with it counts (IGNY8_JWT_SECRET). */
import { Blocked, Unverified, type Chain, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { decode, hmacBits, hmac, resign, type DecodedToken } from '../../../fixtures/evidence/jwt.js';

/** Reads a token that others are to be made of. Depends on TOK-01. */
export function readToken(token: string): DecodedToken {
  const decoded = decode(token);
  if (decoded === undefined) throw new Blocked('TOK-01', 'the token is not a compact JWS');
  return decoded;
}

/** Signed again with a second less to live: another text, which differs in nothing that a server judges by. */
function resigned(token: string, key: string): string {
  const { exp } = readToken(token).claims;
  return resign(token, key, typeof exp === 'number' ? { claims: { exp: exp - 1 } } : {});
}

/** Why the key that the run was given cannot be used with this target; undefined if it can. */
async function keyFault(check: Check, access: string): Promise<string | undefined> {
  const key = check.target.secret;
  if (key === undefined) return 'The run was not given the signing key.';
  const { header, parts } = readToken(access);
  const bits = hmacBits(header['alg']);
  if (bits === undefined)
    return `The tokens are signed with ${String(header['alg'])} and not with a shared key, so IGNY8_JWT_SECRET is of no use here.`;
  if (hmac(`${parts[0]}.${parts[1]}`, key, bits) !== parts[2])
    return "IGNY8_JWT_SECRET is not the target's key: its own token does not verify with it.";
  const control = await check.askProtected(resigned(access, key));
  return control.status === 200
    ? undefined
    : `The target refuses its own token signed again with its own key (${seenStatus(control)}): it tracks the tokens it issued.`;
}

/**
 * The positive control of all that is signed with the key: this live access token, signed again, opens the door.
 * @returns the key
 * @throws Unverified if the key is another one, or the target takes no token that it did not issue
 */
export async function provenKey(check: Check, access: string): Promise<string> {
  const fault = await keyFault(check, access);
  if (fault !== undefined) throw new Unverified(fault);
  return check.target.secret ?? '';
}

/** The same for a check that has another way: undefined where the key cannot be used. */
export async function keyIfProven(check: Check, access: string): Promise<string | undefined> {
  if (check.target.secret === undefined || decode(access) === undefined) return undefined;
  return (await keyFault(check, access)) === undefined ? check.target.secret : undefined;
}

/**
 * The positive control of a refresh token signed with the key: the chain's own, signed again, rotates. The chain goes on with its
 * successor.
 * @throws Unverified if the target takes no refresh token that it did not issue
 */
export async function rotatesResigned(check: Check, chain: Chain, key: string): Promise<void> {
  const reply = await check.answered('REF-01', 'refresh', () => check.api.refresh(resigned(chain.refresh, key)));
  if (reply.status === 200) {
    chain.advance(reply);
    return;
  }
  // A look at what it does not know may have ended the chain.
  chain.invalidate();
  throw new Unverified(
    `The target refuses its own refresh token signed again with its own key (${seenStatus(reply)}): it tracks the tokens it issued.`,
  );
}
