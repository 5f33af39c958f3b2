/** Rows of the list, read and looked up in other ways than the target does. */
import type { Keyword, Outcome, Store, Context, User, Parts } from '../../fixtures/reference/behaviour.js';
import { type Json, on } from './helpers.js';

export const shown = ({ id, keyword, siteId }: Keyword): Json => ({ id, keyword, site_id: siteId });

export const listOf = (rows: readonly Keyword[]): Outcome => ({ status: 200, results: rows.map(shown) });

export const rowOf = (store: Store, { parameters }: Context): Keyword | undefined =>
  store.keywords.find(({ id }) => String(id) === parameters['id']);

/** A list that has its own way with some queries. */
export const lists = (
  rows: (context: Context, user: User, parts: Parts, store: Store) => readonly Keyword[] | undefined,
) =>
  on('listKeywords', async (context, parts, store) => {
    const found = rows(context, await parts.authenticate(context), parts, store);
    return found === undefined ? undefined : listOf(found);
  });

/** A filter whose presence drops the filter by account. */
export const dropsAccount = (parameter: string) =>
  lists(({ query }, _, __, store) =>
    query.get(parameter) === null
      ? undefined
      : store.keywords.filter((row) =>
          [row.id, row.accountId, row.siteId, row.keyword].map(String).includes(query.get(parameter) ?? ''),
        ),
  );

export const oddSites = (read: (sites: readonly string[], query: URLSearchParams) => string | undefined) =>
  on('listKeywords', async (context, parts, store: Store) => {
    await parts.authenticate(context);
    const site = read(context.query.getAll('site_id'), context.query);
    if (site === undefined || !/^\d{1,15}$/.test(site)) return undefined;
    const rows = store.keywords.filter(({ siteId }) => siteId === Number(site));
    return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
  });
