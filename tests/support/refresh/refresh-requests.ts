/** Requests to refresh that are not as the guide has them: no token, one in another place, one with a bad header. */
import { decode, encodePart, resign } from '../../../fixtures/evidence/jwt.js';
import type { Check } from '../../../fixtures/check/check.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { withQuery } from '../access/protected-routes.js';

/** An access token past its `exp`: signed with the key where the run has it, else with its old signature. */
function expired(access: string, secret: string | undefined): string {
  const decoded = decode(access);
  const past = { exp: 1_500_000_000 };
  if (decoded === undefined) return 'expired';
  return secret === undefined
    ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
    : resign(access, secret, { claims: past });
}

export const NO_JWTS = [
  'not-a-token',
  'a.b.c',
  '0123456789abcdef'.repeat(8),
  '..',
  'null',
  '{}',
  'eyJ.eyJ.',
  '新.しい.😀',
];

/** The live refresh token in any place but the one that the guide has for it. */
export function elsewhere(check: Check, token: string): { name: string; request: Sendable }[] {
  const plain = (headers: Sendable['headers'] = []): Sendable => check.api.request('refresh', {}, { headers });
  const cookies = ['refresh', 'refresh_token', 'refreshToken', 'jwt-refresh-token'].map((name) => `${name}=${token}`);
  return [
    { name: 'missing, and the live one as bearer token', request: plain([['authorization', `Bearer ${token}`]]) },
    { name: 'missing, and the live one in cookies', request: plain([['cookie', cookies.join('; ')]]) },
    { name: 'missing, and the live one in `X-Refresh-Token`', request: plain([['x-refresh-token', token]]) },
    {
      name: 'missing, and the live one in the query',
      request: withQuery(plain(), new URLSearchParams({ refresh: token, refresh_token: token }).toString()),
    },
  ];
}

/** Ways to be refused before anything is rotated, with the live token in the request. */
export const REFUSED_BEFORE = [
  { name: 'malformed JSON', type: 'application/json', body: (good: string) => good.slice(0, -1), by: 'ROB-01' },
  { name: 'another content type', type: 'text/plain', body: asItIs, by: 'ROB-03' },
  { name: 'a form', type: 'application/x-www-form-urlencoded', body: asForm, by: 'ROB-03' },
  { name: 'an array as the token', type: 'application/json', body: inArray, by: 'REF-10' },
  { name: 'a charset that does not exist', type: 'application/json; charset=x-none', body: asItIs, by: 'ROB-05' },
  { name: 'a wrong method', type: 'application/json', body: asItIs, by: 'ENV-11', method: 'PUT' },
] as const;

function asItIs(good: string): string {
  return good;
}

function asForm(good: string): string {
  return new URLSearchParams(JSON.parse(good) as Record<string, string>).toString();
}

function inArray(good: string): string {
  return good.replace(/:(".*")\}$/, ':[$1]}');
}

/** Values of `refresh` that are no token, and the statuses with which each may be refused. */
export function badTokens(live: string): { name: string; token: unknown; statuses: number[] }[] {
  return [
    { name: 'missing', token: undefined, statuses: [400] },
    { name: 'null', token: null, statuses: [400] },
    { name: 'a number', token: 12345, statuses: [400] },
    { name: 'a boolean', token: true, statuses: [400] },
    { name: 'an array', token: ['a.b.c'], statuses: [400] },
    { name: 'an array with the live token in it', token: [live], statuses: [400] },
    { name: 'an object', token: { token: 'a.b.c' }, statuses: [400] },
    { name: 'empty', token: '', statuses: [400, 401] },
    { name: 'spaces', token: '   ', statuses: [400, 401] },
  ];
}

/** What `Authorization` says with a good refresh token. @param foreign a live access token of somebody else */
export function authorizations(
  access: string,
  secret: string | undefined,
  foreign: string | undefined,
): { name: string; authorization: string | undefined }[] {
  const rows = [
    { name: 'none', authorization: undefined },
    { name: 'an expired access token', authorization: `Bearer ${expired(access, secret)}` },
    { name: 'a token that is not a JWT', authorization: 'Bearer null' },
    { name: 'another scheme', authorization: 'Token 0123456789abcdef' },
    ...(foreign === undefined ? [] : [{ name: 'the live token of somebody else', authorization: `Bearer ${foreign}` }]),
  ];
  return rows.map((row) => ({ ...row, name: `Authorization: ${row.name}` }));
}
