/** Rows of a site to which the viewer has no access (FOR-07). */
import { dependsOnAlikeToken } from '../journeys/alike-workers.js';
import type { LiveSession } from '../../../fixtures/check/accounts.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import type { Judged } from '../accounts/accounts.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { exactRows, idOf } from '../responses/exact.js';

/** The list, asked for with a query. */
export function listOf(check: Check, who: { readonly access: string }, query: string): Promise<Reply> {
  return check.raw(jsonRequest('GET', `${check.api.path('listKeywords')}?${query}`, undefined, who));
}

/** The site by its own name: refused, whatever else the query says. */
export function refusedQueries(check: Check, viewer: LiveSession, site: string): Judged[] {
  const plain = `site_id=${encodeURIComponent(site)}`;
  return [plain, `${plain}&page=1&page_size=5`, `search=e&${plain}`, `ordering=-id&${plain}`].map((query) => ({
    name: `?${query}`,
    judge: async () => {
      const reply = await listOf(check, viewer, query);
      await dependsOnAlikeToken(check, viewer.access, reply);
      expect(reply, 'the rows of a site without access').toHaveStatus(403);
    },
  }));
}

/** The site by another spelling, or by none: refused, ignored or read, but no row of it is shown. */
export async function showsNone(
  check: Check,
  viewer: LiveSession,
  query: string,
  hidden: readonly string[],
): Promise<void> {
  const reply = await listOf(check, viewer, query);
  expect(reply, 'the list').toBeNoServerError();
  expect(reply, 'the list').toSatisfy(
    !(exactRows(reply) ?? []).some((row) => hidden.includes(idOf(row) ?? '')),
    'no row of a site without access',
    'a row of it is there',
  );
}

/** One row of it, asked for by its id. */
export async function judgeHiddenRow(check: Check, viewer: LiveSession, row: unknown): Promise<void> {
  const reply = await check.api.getResource(check.api.path('getKeyword', idOf(row)), viewer);
  const texts = Object.values(row as object).filter((value) => typeof value === 'string');
  expect(reply, 'a row of a site without access').toBeNoServerError();
  expect(reply, 'a row of a site without access').toSatisfy(
    reply.status >= 400 || texts.length === 0 || !texts.every((text) => reply.text.includes(text)),
    'not shown',
    seenStatus(reply),
  );
}

/** Ways to name a site that two readers of a query may understand differently; whoever does not know one may leave it out. */
export function spellingsOf(site: string, open: string): string[] {
  return [
    `site_id=0${site}`,
    `site_id=%2B${site}`,
    `site_id=${site}%20`,
    `site_id=${site}.0`,
    `site_id=${open},${site}`,
    `site_id[]=${site}`,
    `site_id__in=${open},${site}`,
    `site=${site}`,
    `siteId=${site}`,
  ];
}

/** The site with a role forged into the token of who has no access to it: refused as it is without (FOR-09). */
export async function judgeForgedSite(check: Check, viewer: LiveSession, forged: string): Promise<void> {
  const query = `site_id=${encodeURIComponent(check.target.deniedSite ?? '')}`;
  const reply = await listOf(check, { access: forged }, query);
  if (reply.status < 400 || reply.status > 499) {
    const plain = await listOf(check, viewer, query);
    if (plain.status < 400 || plain.status > 499)
      throw new Blocked(
        'FOR-07',
        `the site is not refused without any forgery either: ${seenStatus(plain)}`,
        plain.exchange,
      );
  }
  expect(reply, 'the rows of a site without access, with a role forged into the token').toBeRefused();
}
