/**
 * One answer of each documented kind, for the clauses about every answer: in a whole run they judge hundreds, but `--grep ENV-01`
 * alone has none but these.
 */
import { Blocked, Unverified, type Check } from '../../fixtures/check/check.js';
import type { Observation } from '../../fixtures/evidence/observation.js';
import { NoAnswer } from '../../fixtures/http/transport.js';

/** Path of no documented route, below the base. */
export const UNKNOWN_ROUTE = 'conformance/no-such-route/';

/** The kinds, by what is asked; every one of them costs little, and none of them a login but the chain's. */
async function walk(check: Check): Promise<void> {
  const { api, raw } = check;
  const json = ['content-type', 'application/json'] as const;
  const tries: (() => Promise<unknown>)[] = [
    // Success of each operation that a client begins with.
    async () => {
      const mine = await check.chain();
      await mine.rotate();
      // A resource of one's own, where there is one to be seen.
      const [row] = (await check.askProtected(mine.access)).rows ?? [];
      const { id } = (row ?? {}) as { id?: unknown };
      if (typeof id === 'number' || typeof id === 'string') {
        await api.getResource(api.path('getKeyword', String(id)), { access: mine.access });
      }
      // However a client asks, it gets JSON.
      await raw({
        method: 'GET',
        path: api.path('listKeywords'),
        headers: [
          ['accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'],
          ['authorization', `Bearer ${mine.access}`],
        ],
      });
      await api.getResource(api.path('getKeyword', '999999999'), { access: mine.access });
    },
    () => api.listKeywords(),
    () => raw({ method: 'GET', path: api.path('listKeywords'), headers: [['accept', 'text/html']] }),
    () => raw(api.request('refresh', {})),
    () => api.refresh('not-a-token'),
    () => raw({ method: 'POST', path: api.path('refresh'), headers: [json], body: '{' }),
    () =>
      raw({ method: 'POST', path: api.path('refresh'), headers: [['content-type', 'text/plain']], body: 'refresh' }),
    () => raw({ method: 'GET', path: UNKNOWN_ROUTE }),
    () => raw({ method: 'PUT', path: api.path('refresh') }),
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

/** Every answer of the run so far, the tour's among them. */
export async function everyAnswer(check: Check): Promise<readonly Observation[]> {
  await check.once('tour', async () => {
    await walk(check);
    return true;
  });
  return check.observations();
}
