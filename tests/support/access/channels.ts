/** Ways by which servers have been seen to take credentials outside `Authorization: Bearer`, as tables. */
import { hmac, encodePart } from '../../../fixtures/evidence/jwt.js';
import type { Check } from '../../../fixtures/check/check.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { own } from '../tokens/attacker-keys.js';
import { flipped } from '../tokens/forgeries.js';
import { readToken } from '../tokens/signing-key.js';

export interface Spelling extends Row {
  readonly headers: readonly (readonly [string, string])[];
}

const authorization = (name: string, value: string): Spelling => ({ name, headers: [['authorization', value]] });

/** The header with a live token, in spellings that are not the documented one. */
export function oddSpellings(access: string): Spelling[] {
  return [
    authorization('scheme `Token`', `Token ${access}`),
    authorization('scheme `JWT`', `JWT ${access}`),
    authorization('scheme `Basic`', `Basic ${access}`),
    authorization('scheme `Digest`', `Digest ${access}`),
    authorization('scheme `OAuth`', `OAuth ${access}`),
    authorization('no scheme', access),
    authorization('no space after the scheme', `Bearer${access}`),
    authorization('a colon after the scheme', `Bearer: ${access}`),
    authorization('`Bearer` with nothing after it', 'Bearer'),
    authorization('`Bearer` and a space', 'Bearer '),
    authorization('two tokens, separated by a comma', `Bearer ${access}, Bearer ${access}`),
    authorization('two tokens, separated by a space', `Bearer ${access} ${access}`),
    authorization('a bad token before it, separated by a comma', `Bearer not-a-token, Bearer ${access}`),
    authorization('another scheme before it', `Basic bm9ib2R5, Bearer ${access}`),
  ];
}

/** Other headers in which servers have been seen to take a token. */
export function otherHeaders(access: string): Spelling[] {
  return [
    'x-authorization',
    'x-forwarded-authorization',
    'proxy-authorization',
    'x-original-authorization',
    'http-authorization',
    'x-access-token',
    'x-auth-token',
    'x-api-key',
    'x-jwt-assertion',
    'authentication',
    'access-token',
    'jwt',
    'token',
  ].map((name) => ({
    name: `\`${name}\` instead`,
    headers: [[name, name.endsWith('authorization') ? `Bearer ${access}` : access]] as const,
  }));
}

/** Of these spellings those that views with classes of their own take. */
export const SPELLINGS_OF_VIEWS = ['scheme `Token`', 'scheme `JWT`', 'no scheme'];

/** Names under which servers take a token in the query, and in a body. */
export const TOKEN_PARAMETERS = [
  'token',
  'access_token',
  'access',
  'jwt',
  'auth',
  'auth_token',
  'authorization',
  'bearer',
  'api_key',
  'key',
  'accessToken',
  'id_token',
];

/** Names under which servers take a token in a cookie. */
export const TOKEN_COOKIES = [
  'access',
  'access_token',
  'token',
  'jwt',
  'auth',
  'auth_token',
  'Authorization',
  'accessToken',
  'sessionid',
];

/** The cookies that a response sets, as a client sends them back; empty if there are none. */
export function cookiesOf(reply: Reply | undefined): string {
  return (reply?.wire.headers ?? [])
    .filter(([name]) => name.toLowerCase() === 'set-cookie')
    .map(([, value]) => value.split(';')[0] ?? '')
    .join('; ');
}

/** Texts that are no JWT; `null` and `undefined` are what a client sends that has lost its token. */
export const NO_JWT = [
  'not-a-token',
  'a.b.c',
  '0123456789abcdef0123456789abcdef',
  '...',
  '..',
  'eyJ9.eyJ9.eyJ9',
  'null',
  'undefined',
  '0',
  '1',
  'admin',
];

/** Headers by which proxies tell a server behind them who somebody is, and what of a user each would hold. */
export const IDENTITY_HEADERS = [
  ...[
    'x-forwarded-user',
    'x-forwarded-email',
    'x-forwarded-preferred-username',
    'x-remote-user',
    'remote-user',
    'x-authenticated-user',
    'x-auth-request-user',
    'x-auth-request-email',
    'x-user',
    'x-user-email',
    'x-email',
    'x-username',
    'x-webauth-user',
    'x-consumer-username',
    'x-impersonate-user',
    'x-goog-authenticated-user-email',
    'cf-access-authenticated-user-email',
    'x-ms-client-principal-name',
    'x-ssl-client-s-dn',
  ].map((name) => ({ name, of: 'email' as const })),
  ...['x-user-id', 'x-userid', 'x-authenticated-userid', 'x-consumer-custom-id', 'x-act-as'].map((name) => ({
    name,
    of: 'id' as const,
  })),
  ...['x-account-id', 'x-account', 'x-tenant-id', 'x-tenant', 'x-org-id', 'x-organization-id', 'x-workspace-id'].map(
    (name) => ({ name, of: 'account' as const }),
  ),
];

export interface BadCredentials extends Row {
  /** The `Authorization` header. */
  readonly authorization: string;
}

/** Bad credentials of the kinds that a view with a way of its own lets in, for all routes but the list. */
export async function badCredentials(check: Check, access: string): Promise<BadCredentials[]> {
  const token = readToken(access);
  const [head, payload, signature] = token.parts;
  const mine = await check.provenChain();
  const bearer = (name: string, text: string): BadCredentials => ({ name, authorization: `Bearer ${text}` });
  const signedBy = (header: Record<string, unknown>, secret: string | Buffer): string => {
    const input = `${encodePart({ ...token.header, ...header })}.${payload}`;
    return `${input}.${hmac(input, secret)}`;
  };
  const unsigned = encodePart({ ...token.header, alg: 'none' });
  const jwk = { kty: 'oct', k: own.secret.toString('base64url') };
  return [
    bearer('a changed signature', `${head}.${payload}.${flipped(signature, 'first')}`),
    bearer('`alg: none`', `${unsigned}.${payload}.`),
    bearer('a key in the header', signedBy({ jwk }, own.secret)),
    bearer('a refresh token', mine.refresh),
  ];
}
