/** The protected routes of a target, for reading and for writing, as requests that lack nothing but their credentials. */
import type { Check } from '../../../fixtures/check/check.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { asObject } from '../../../fixtures/evidence/json.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import {
  OPERATIONS,
  REQUEST_SCHEMAS,
  type OperationId,
  type RequestSchema,
} from '../../../spec/generated/operations.js';
import { servedDocument } from '../responses/openapi-diff.js';
import { aKeyword, type Somebody } from './resources.js';

export interface ProtectedRequest extends Row {
  readonly request: Sendable;
  /** Statuses besides 401 that are right without a token: of a method of which nobody says that the target has it. */
  readonly also: readonly number[];
}

/** Methods that change a row, and that servers of this kind have besides the documented ones. */
export const CHANGING = ['PUT', 'PATCH', 'DELETE'] as const;

/** Without a token an unknown method may be 404 or 405, or 401. */
const UNKNOWN_METHOD = [404, 405];

const SCHEMAS: Readonly<Partial<Record<OperationId, RequestSchema>>> = REQUEST_SCHEMAS;

/** The methods that the target says a row has: by `Allow`, or by the OpenAPI document that it serves. Asked once per run. */
export function announcedMethods(check: Check, { access, path }: Somebody): Promise<readonly string[]> {
  return check.once('methods of a row', async () => {
    const options = await check
      .raw({
        method: 'OPTIONS',
        path: path ?? check.api.path('listKeywords'),
        headers: [['authorization', `Bearer ${access}`]],
      })
      .catch((error: unknown) => {
        if (error instanceof NoAnswer) return undefined;
        throw error;
      });
    const allowed = (options?.header('allow') ?? '').split(',').map((method) => method.trim().toUpperCase());
    return [...new Set([...allowed, ...(await documentedMethods(check))])].filter((method) => method !== '');
  });
}

/** The methods of a row, by the served document. */
async function documentedMethods(check: Check): Promise<string[]> {
  const paths = asObject((await servedDocument(check))?.['paths']) ?? {};
  const list = `/${check.api.path('listKeywords')}`;
  return Object.entries(paths)
    .filter(([path]) => /\/\{[^/]+\}\/?$/.test(path) && path.replace(/\{[^/]+\}\/?$/, '').endsWith(list))
    .flatMap(([, item]) => Object.keys(asObject(item) ?? {}).map((method) => method.toUpperCase()));
}

/** Requests that would succeed with a token of `who`: each documented route, and each way to change a row of one's own. */
export async function validRequests(check: Check, who: Somebody): Promise<ProtectedRequest[]> {
  const list = check.api.path('listKeywords');
  const request = (method: string, path: string, body?: unknown): ProtectedRequest => ({
    name: `${method} ${path}`,
    request: jsonRequest(method, path, body),
    also: [],
  });
  const documented = [
    request('GET', list),
    ...(who.path === undefined ? [] : [{ ...request('GET', who.path), name: `GET ${check.api.path('getKeyword')}` }]),
    ...(check.target.write ? [request('POST', list, aKeyword(check).body)] : []),
  ];
  const { row } = who;
  if (row === undefined) return documented;
  const announced = await announcedMethods(check, who);
  const further = CHANGING.map((method) => ({
    ...request(method, row.path, method === 'DELETE' ? undefined : aKeyword(check).body),
    name: `${method} ${check.api.path('getKeyword')}`,
    also: announced.includes(method) ? [] : UNKNOWN_METHOD,
  }));
  return [...documented, ...further];
}

export interface FaultyRequest extends ProtectedRequest {
  /** Its body is not JSON. */
  readonly malformed: boolean;
}

/** Requests at fault in their body, their path or their query: who sends them is asked first, and not what. */
export async function faultyRequests(check: Check, who: Somebody): Promise<FaultyRequest[]> {
  const list = check.api.path('listKeywords');
  const documented = OPERATIONS.filter(({ bearer, method }) => bearer && method !== 'GET').flatMap(
    ({ operationId, method }) => {
      const path = check.api.path(operationId);
      const fields = Object.keys(SCHEMAS[operationId]?.properties ?? {});
      const row = { name: path, request: { method, path }, also: [], malformed: false };
      return [{ ...row, name: `${method} ${path} without a body` }, ...faultyBodies(row, fields)];
    },
  );
  const odd = [
    { ...jsonRequest('GET', check.api.path('getKeyword', '999999999')), words: 'GET of an id that no row has' },
    { ...jsonRequest('GET', `${list}?page=abc&site_id=abc`), words: 'GET of the list with an odd query' },
  ].map(({ words, ...request }) => ({ name: words, request, also: [], malformed: false }));
  if (who.row === undefined) return [...documented, ...odd];
  const { path } = who.row;
  const announced = await announcedMethods(check, who);
  const fields = Object.keys(SCHEMAS.createKeyword?.properties ?? {});
  const further = CHANGING.flatMap((method) => {
    const also = announced.includes(method) ? [] : UNKNOWN_METHOD;
    const row = { name: check.api.path('getKeyword'), request: { method, path }, also, malformed: false };
    return method === 'DELETE' ? faultyBodies(row, []).filter(({ malformed }) => malformed) : faultyBodies(row, fields);
  });
  const heads = [list, path].map((at) => ({
    name: `HEAD ${at === list ? list : check.api.path('getKeyword')}`,
    request: { method: 'HEAD', path: at },
    also: announced.includes('HEAD') ? [] : UNKNOWN_METHOD,
    malformed: false,
  }));
  return [...documented, ...further, ...odd, ...heads];
}

/** A write with bodies of which each kind of server refuses one before it has looked at anything else. */
function faultyBodies({ name, request, ...row }: FaultyRequest, fields: readonly string[]): FaultyRequest[] {
  const { method, path } = request;
  const invalid = jsonRequest(method, path, Object.fromEntries(fields.map((field) => [field, 0])));
  const typed = (type: string, body: string): Sendable => ({ method, path, headers: [['content-type', type]], body });
  const words = `${method} ${name}`;
  return [
    { ...row, name: `${words} with a body that is not valid`, request: invalid },
    { ...row, name: `${words} with malformed JSON`, request: typed('application/json', '{'), malformed: true },
    { ...row, name: `${words} with a body that is not JSON`, request: typed('text/plain', 'text') },
  ];
}

/** The request with header lines more, e.g. with credentials of some kind. */
export function withHeaders(request: Sendable, ...headers: readonly (readonly [string, string])[]): Sendable {
  return { ...request, headers: [...(request.headers ?? []), ...headers] };
}

/** The request with a query. */
export function withQuery(request: Sendable, query: string): Sendable {
  return { ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}${query}` };
}
