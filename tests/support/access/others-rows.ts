/** Lists of one's own, asked in ways that could show somebody else's rows (FOR-06, FOR-07). */
import type { Check } from '../../../fixtures/check/check.js';
import type { OtherTenant } from './resources.js';
import { exactRows, idOf } from '../responses/exact.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Judged } from '../accounts/accounts.js';
import { expect } from '../../../fixtures/check/expect.js';

/** Lists asked for at the same moment, by two users in turn; and times that this is done. */
const AT_ONCE = 6;

const ROUNDS = 2;

/** Two users at once: what one request leaves in a place that both share is the other's to see. */
export async function judgeAtOnce(
  check: Check,
  access: string,
  other: OtherTenant,
  own: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
): Promise<void> {
  await check.expectAuthorized(other.access);
  for (let round = 0; round < ROUNDS; round += 1) {
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, turn) => {
        const mine = turn % 2 === 0;
        return { mine, answer: await check.askProtected(mine ? access : other.access) };
      }),
    );
    for (const { mine, answer } of replies) {
      const strange = mine ? theirs : own;
      const found = (exactRows(answer) ?? []).some((row) => strange.has(idOf(row) ?? ''));
      expect(answer, `a list asked for by two users at once, ${mine ? 'the one' : 'the other'}`).toSatisfy(
        !found,
        "no row of another account's",
        "another account's row is in it",
      );
    }
  }
}

/** A list asked for with a query, which must not show the other's keyword. */
async function judgeQuery(check: Check, access: string, query: string, text: string): Promise<void> {
  const path = `${check.api.path('listKeywords')}?${query}`;
  const reply = await check.raw(jsonRequest('GET', path, undefined, { access }));
  expect(reply, 'the list').toSatisfy(
    reply.status >= 400 || !reply.text.includes(text),
    "no row of another account's",
    "another account's row is in it",
  );
}

/**
 * A later page, which a server that cuts it before it filters takes from the whole table: as many rows a page as one has oneself before the
 * other's, so that theirs would be on the second.
 * @param own ids of one's own rows
 */
export function laterPage(
  check: Check,
  access: string,
  { id, text }: NonNullable<OtherTenant['keyword']>,
  own: ReadonlySet<string>,
): Judged {
  const before = [...own].filter((mine) => Number(mine) < Number(id)).length;
  const query = `page=2&page_size=${String(Math.max(before, 1))}&ordering=id`;
  return { name: `?${query}`, judge: () => judgeQuery(check, access, query, text) };
}

/** Queries by which a list would find the other's row, if the filter by account went missing on the way. */
export function queriesFor(
  check: Check,
  access: string,
  { id, text, site }: NonNullable<OtherTenant['keyword']>,
  account: unknown,
): Judged[] {
  const unique = text.split(' ').at(-1) ?? text;
  const search = (words: string): string => `search=${encodeURIComponent(words)}`;
  const queries = [
    search(text),
    search(`nothing ${unique}`),
    search(`nothing,${unique}`),
    search(`nothing OR ${unique}`),
    `q=${unique}`,
    `keyword=${encodeURIComponent(text)}`,
    `id=${id}`,
    `id__in=${id}`,
    ...(account === undefined ? [] : ['account', 'account_id'].map((name) => `${name}=${String(account)}`)),
    ...(site === undefined ? [] : [`site=${site}`, `${search(unique)}&site_id=${site}`]),
    'ordering=-id&page_size=1000',
    'all=true',
  ];
  const judge = (query: string) => (): Promise<void> => judgeQuery(check, access, query, text);
  return [
    ...(site === undefined ? [] : [{ name: "the rows of another account's site", judge: judge(`site_id=${site}`) }]),
    ...queries.map((query) => ({ name: `?${query}`, judge: judge(query) })),
  ];
}
