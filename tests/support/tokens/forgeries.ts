/**
 * The table of forgeries: each makes a token that is invalid in exactly one intended way out of one that is good at that moment.
 * What a conforming server may accept (an unknown header parameter, another `typ`, another spelling of the same bytes) is not a forgery.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ClauseId } from '../../../spec/generated/clauses.js';
import { certificateInHeader, ecSignature, NOWHERE, own, publicJwk, rsaSignature } from './attacker-keys.js';
import { encodePart, hmac, type DecodedToken, decode } from '../../../fixtures/evidence/jwt.js';
import { Blocked } from '../../../fixtures/check/findings.js';

/** What a forger has besides the genuine token. */
export interface Means {
  /** The target's key. */
  readonly key?: string;
  /** Another token that the target issued. */
  readonly other?: DecodedToken;
  /** The claim that names the user. */
  readonly subject?: string;
  /** Where our public keys are served; by default nowhere. */
  readonly origin?: string;
}

export interface Forgery {
  readonly name: string;
  /** Where a bearer token so forged is judged. */
  readonly clause: Extract<ClauseId, `UNA-${string}`>;
  readonly source: string;
  /** Needs the target's key; made only where the run has it. */
  readonly byKey?: true;
  /** The same for a refresh token is part of REF-11; `or 400`: what is left is not a JWT, and REF-08 takes 400 for that. */
  readonly ofRefresh?: true | 'or 400';
  /** Asked of the tokens of every origin, and not of login's alone. */
  readonly everyOrigin?: true;
  forge(token: DecodedToken, means: Means): string | Promise<string>;
}

/** Bits of one byte changed: in bytes, for the last character has spare bits, and changing them changes nothing. */
export function flipped(signature: string, at: 'first' | 'last'): string {
  const bytes = Buffer.from(signature, 'base64url');
  const place = at === 'first' ? 0 : bytes.length - 1;
  bytes[place] = (bytes[place] ?? 0) ^ 0x55;
  return bytes.toString('base64url');
}

/** Another header in front of the same payload, signed by `sign`. */
function withHeader(token: DecodedToken, header: Record<string, unknown>, sign: (input: string) => string): string {
  const input = `${encodePart({ ...token.header, ...header })}.${token.parts[1]}`;
  return `${input}.${sign(input)}`;
}

const none = (
  alg: string,
  signature: 'empty' | 'old' | 'random',
  of: Pick<Forgery, 'ofRefresh' | 'everyOrigin'> = {},
): Forgery => ({
  name: `alg “${alg}” with ${signature === 'empty' ? 'no signature' : `the ${signature} signature`}`,
  clause: 'UNA-07',
  source: 'RFC 8725 §3.1',
  ...of,
  forge: (token) =>
    withHeader(token, { alg }, () =>
      signature === 'empty' ? '' : signature === 'old' ? token.parts[2] : randomBytes(32).toString('base64url'),
    ),
});

const hmacBy = (
  name: string,
  header: Record<string, unknown>,
  key: string | Buffer,
  source: string,
  of: Pick<Forgery, 'ofRefresh' | 'everyOrigin'> = {},
): Forgery => ({
  name,
  clause: 'UNA-15',
  source,
  ...of,
  forge: (token) => withHeader(token, { alg: 'HS256', ...header }, (input) => hmac(input, key)),
});

const BOTH = { ofRefresh: true } as const;
const EVERYWHERE = { ofRefresh: true, everyOrigin: true } as const;

export const FORGERIES: readonly Forgery[] = [
  {
    name: 'payload of another user, old signature',
    clause: 'UNA-05',
    source: 'RFC 7515 §5.2',
    ofRefresh: true,
    forge: ({ parts, claims }, { subject = 'user_id' }) =>
      `${parts[0]}.${encodePart({ ...claims, [subject]: 1_000_000_007 })}.${parts[2]}`,
  },
  {
    name: 'payload with a later `exp`, old signature',
    clause: 'UNA-05',
    source: 'RFC 7515 §5.2',
    everyOrigin: true,
    ofRefresh: true,
    forge: ({ parts, claims }) =>
      `${parts[0]}.${encodePart({ ...claims, exp: Number(claims['exp']) + 1 })}.${parts[2]}`,
  },
  {
    name: 'a changed first byte in the signature',
    clause: 'UNA-06',
    source: 'RFC 7515 §5.2',
    everyOrigin: true,
    ofRefresh: true,
    forge: ({ parts }) => `${parts[0]}.${parts[1]}.${flipped(parts[2], 'first')}`,
  },
  {
    name: 'a changed last byte in the signature',
    clause: 'UNA-06',
    source: 'RFC 7515 §5.2',
    ofRefresh: true,
    forge: ({ parts }) => `${parts[0]}.${parts[1]}.${flipped(parts[2], 'last')}`,
  },
  {
    name: 'the signature in small letters',
    clause: 'UNA-06',
    source: 'RFC 4648 §5',
    forge: ({ parts }) => `${parts[0]}.${parts[1]}.${parts[2].toLowerCase()}`,
  },
  {
    name: 'half of the signature',
    clause: 'UNA-06',
    source: 'RFC 7515 §5.2',
    forge: ({ parts }) =>
      `${parts[0]}.${parts[1]}.${Buffer.from(parts[2], 'base64url').subarray(0, 16).toString('base64url')}`,
  },
  {
    name: 'the signature of another token',
    clause: 'UNA-06',
    source: 'RFC 7515 §5.2',
    ofRefresh: true,
    forge: ({ parts }, { other }) => `${parts[0]}.${parts[1]}.${(other?.parts ?? parts)[2]}`,
  },
  {
    name: 'an empty signature',
    clause: 'UNA-06',
    source: 'RFC 7515 §5.2',
    everyOrigin: true,
    ofRefresh: true,
    forge: ({ parts }) => `${parts[0]}.${parts[1]}.`,
  },
  {
    name: 'no third part',
    clause: 'UNA-06',
    source: 'RFC 7515 §7.1',
    ofRefresh: 'or 400',
    forge: ({ parts }) => `${parts[0]}.${parts[1]}`,
  },
  {
    name: 'a zero ECDSA signature under ES256 (CVE-2022-21449)',
    clause: 'UNA-08',
    source: 'CVE-2022-21449',
    forge: (token) => withHeader(token, { alg: 'ES256' }, () => Buffer.alloc(64).toString('base64url')),
  },
  none('none', 'empty', EVERYWHERE),
  none('none', 'old', BOTH),
  none('none', 'random', BOTH),
  none('None', 'empty'),
  none('NONE', 'empty'),
  none('NONE', 'old'),
  none('nOnE', 'empty', BOTH),
  // Each letter case once in every place: a list of the likely spellings is not the only one.
  none('nONE', 'empty'),
  none('noNE', 'empty'),
  none('NonE', 'empty'),
  none('', 'empty'),
  {
    name: 'no `alg`, with no signature',
    clause: 'UNA-07',
    source: 'RFC 7515 §4.1.1',
    ofRefresh: true,
    forge: (token) => withHeader(token, { alg: undefined }, () => ''),
  },
  {
    name: 'two `alg` parameters, the last one “none”, with no signature',
    clause: 'UNA-07',
    source: 'RFC 7515 §4',
    forge: ({ parts }) => `${encodePart('{"typ":"JWT","alg":"HS256","alg":"none"}')}.${parts[1]}.`,
  },
  {
    // Not without a signature: whoever reads the last one would be asked UNA-06's question.
    name: 'two `alg` parameters, the first one “none”, with the old signature',
    clause: 'UNA-07',
    source: 'RFC 7515 §4',
    forge: ({ parts }) => `${encodePart('{"typ":"JWT","alg":"none","alg":"HS256"}')}.${parts[1]}.${parts[2]}`,
  },
  {
    name: 'another key, same algorithm',
    clause: 'UNA-08',
    source: 'RFC 8725 §3.3',
    everyOrigin: true,
    ofRefresh: true,
    forge: (token) => withHeader(token, {}, (input) => hmac(input, own.secret)),
  },
  {
    name: 'an empty key',
    clause: 'UNA-08',
    source: 'RFC 8725 §3.5',
    ofRefresh: true,
    forge: (token) => withHeader(token, {}, (input) => hmac(input, '')),
  },
  {
    name: 'a key that every tutorial has',
    clause: 'UNA-08',
    source: 'RFC 8725 §3.5',
    // Where it is the target's own, nothing is forged, and TOK-08 has something to say.
    forge: (token) => withHeader(token, {}, (input) => hmac(input, 'secret')),
  },
  {
    name: 'a plain SHA-256 instead of an HMAC',
    clause: 'UNA-08',
    source: 'RFC 7518 §3.2',
    forge: (token) => withHeader(token, {}, (input) => createHash('sha256').update(input).digest('base64url')),
  },
  {
    name: 'nested: the genuine token inside another, which is signed by another key',
    clause: 'UNA-08',
    source: 'RFC 8725 §3.3',
    // Its payload is not JSON.
    ofRefresh: 'or 400',
    forge: ({ header, parts }) => {
      const input = `${encodePart({ ...header, cty: 'JWT' })}.${encodePart(parts.join('.'))}`;
      return `${input}.${hmac(input, own.secret)}`;
    },
  },
  {
    name: '`jwk`: an RSA key in the header, RS256 by it',
    clause: 'UNA-15',
    source: 'CVE-2018-0114',
    forge: (token) =>
      withHeader(token, { alg: 'RS256', jwk: publicJwk(own.rsa()) }, (input) =>
        rsaSignature(input, own.rsa().privateKey),
      ),
  },
  {
    name: '`jwk`: an EC key in the header, ES256 by it',
    clause: 'UNA-15',
    source: 'CVE-2018-0114',
    forge: (token) =>
      withHeader(token, { alg: 'ES256', jwk: publicJwk(own.ec()) }, (input) => ecSignature(input, own.ec().privateKey)),
  },
  hmacBy(
    '`jwk`: a symmetric key in the header, HS256 by it',
    { jwk: { kty: 'oct', k: own.secret.toString('base64url') } },
    own.secret,
    'CVE-2018-0114',
    EVERYWHERE,
  ),
  {
    name: '`jku`: the address of a key set',
    clause: 'UNA-15',
    source: 'RFC 8725 §3.10',
    forge: (token, { origin = NOWHERE }) =>
      withHeader(token, { alg: 'RS256', jku: `${origin}/keys.json`, kid: 'own' }, (input) =>
        rsaSignature(input, own.rsa().privateKey),
      ),
  },
  {
    name: '`x5u`: the address of a certificate',
    clause: 'UNA-15',
    source: 'RFC 8725 §3.10',
    forge: (token, { origin = NOWHERE }) =>
      withHeader(token, { alg: 'RS256', x5u: `${origin}/key.pem` }, (input) =>
        rsaSignature(input, own.rsa().privateKey),
      ),
  },
  {
    name: '`x5c`: a certificate signed by itself',
    clause: 'UNA-15',
    source: 'RFC 8725 §3.10',
    forge: async (token) => {
      const x5c = [await certificateInHeader()];
      return withHeader(token, { alg: 'RS256', x5c }, (input) => rsaSignature(input, own.rsa().privateKey));
    },
  },
  hmacBy('`kid`: a path to an empty file', { kid: '../../../../../../dev/null' }, '', 'RFC 8725 §3.10'),
  hmacBy('`kid`: `/dev/null`', { kid: '/dev/null' }, '', 'RFC 8725 §3.10', BOTH),
  hmacBy(
    '`kid`: SQL that gives the key',
    { kid: "x' UNION SELECT 'conformance' -- " },
    'conformance',
    'RFC 8725 §3.10',
  ),
  hmacBy('`kid`: the key itself', { kid: 'conformance' }, 'conformance', 'RFC 8725 §3.10', BOTH),
  hmacBy('`kid`: a NUL', { kid: 'key\u0000.pem' }, '', 'RFC 8725 §3.10'),
  {
    name: 'HS384 with the right key',
    clause: 'UNA-17',
    source: 'RFC 8725 §3.1',
    byKey: true,
    forge: (token, { key = '' }) => withHeader(token, { alg: 'HS384' }, (input) => hmac(input, key, 384)),
  },
  {
    name: 'HS512 with the right key',
    clause: 'UNA-17',
    source: 'RFC 8725 §3.1',
    byKey: true,
    forge: (token, { key = '' }) => withHeader(token, { alg: 'HS512' }, (input) => hmac(input, key, 512)),
  },
];

/** A live access token, its signature spoiled. @throws Blocked by TOK-01 if it is no JWS */
export function spoiled(access: string): string {
  const decoded = decode(access);
  if (decoded === undefined) throw new Blocked('TOK-01', 'the access token is not a compact JWS');
  return `${decoded.parts[0]}.${decoded.parts[1]}.${flipped(decoded.parts[2], 'first')}`;
}
