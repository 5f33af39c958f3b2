/**
 * One response of each documented kind, for the clauses about every response: in a whole run they judge hundreds, but `--grep ENV-01`
 * alone has none but these.
 */
import { Blocked, Unverified, type Check } from '../../../fixtures/check/check.js';
import type { Observation } from '../../../fixtures/evidence/observation.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import { exactRows, idOf } from './exact.js';
import { withHeaders } from '../access/protected-routes.js';

/** Path of no documented route, below the base. */
export const UNKNOWN_ROUTE = 'conformance/no-such-route/';

/** What a client may say it accepts, and a language, a charset or a format that it would like: it gets JSON. Empty: no `Accept` at all. */
const WISHES: readonly (readonly (readonly [string, string])[])[] = [
  [['accept', '']],
  [['accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8']],
  [['accept', '*/*']],
  [['accept', 'text/csv, application/xml;q=0.9, text/xml;q=0.8, application/pdf;q=0.7']],
  [['accept', 'text/plain']],
  [
    ['accept', 'application/json;version=2, text/csv;q=0.5'],
    ['accept-language', 'tr-TR, de;q=0.8'],
  ],
  [
    ['accept', 'application/vnd.igny8.v1+json'],
    ['accept-charset', 'iso-8859-1'],
  ],
];

/** Of each kind of response the wishes that it is asked with: the three plainest always, and each of the others somewhere. */
function wishesOf(kind: number): typeof WISHES {
  const [none, html, any, ...others] = WISHES;
  const other = others[Math.floor(kind / 2) % others.length];
  return [none, html, ...(kind % 2 === 0 ? [any] : [other])].filter((wish) => wish !== undefined);
}

/** Requests of each kind of response that costs little: successes, and each status of an error. */
function kinds(check: Check, access: string, id: string | undefined): Sendable[] {
  const { api } = check;
  const list = api.path('listKeywords');
  const json = [['content-type', 'application/json'] as const];
  return [
    jsonRequest('GET', list),
    jsonRequest('GET', list, undefined, { access }),
    { method: 'GET', path: UNKNOWN_ROUTE },
    jsonRequest('GET', api.path('getKeyword', '999999999'), undefined, { access }),
    { method: 'PUT', path: api.path('refresh') },
    { method: 'POST', path: api.path('refresh'), headers: json, body: '{' },
    api.refreshRequest('not-a-token'),
    api.request('refresh', {}),
    { method: 'POST', path: api.path('refresh'), headers: [['content-type', 'text/plain']], body: 'refresh' },
    ...(id === undefined ? [] : [jsonRequest('GET', api.path('getKeyword', id), undefined, { access })]),
  ];
}

/** The kinds, by what is asked; every one of them costs little, and none of them a login but the chain's. */
async function walk(check: Check): Promise<void> {
  const { api, raw } = check;
  const tries: (() => Promise<unknown>)[] = [
    // Success of each operation that a client begins with, and all kinds however a client asks.
    async () => {
      const mine = await check.chain();
      await mine.rotate();
      const id = idOf(exactRows(await check.askProtected(mine.access))?.[0]);
      for (const [i, request] of kinds(check, mine.access, id).entries())
        await Promise.all(wishesOf(i).map((wish) => raw(withHeaders(request, ...wish))));
    },
    () => api.listKeywords(),
    // A later page may be put together by another part of the server than the first.
    async () =>
      raw(jsonRequest('GET', `${api.path('listKeywords')}?page_size=1&page=2`, undefined, await check.session())),
  ];
  for (const attempt of tries) {
    try {
      await attempt();
    } catch (error) {
      // A step that cannot be taken shows nothing about answers in general; the clauses about it say why.
      if (!(error instanceof Error) || ![Blocked, Unverified, NoAnswer].some((kind) => error instanceof kind))
        throw error;
      if (error instanceof NoAnswer) return;
    }
  }
}

/** Every response of the run so far, the tour's among them. */
export async function everyAnswer(check: Check): Promise<readonly Observation[]> {
  await check.once('tour', async () => {
    await walk(check);
    return true;
  });
  return check.observations();
}
