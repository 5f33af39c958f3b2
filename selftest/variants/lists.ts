/** What a list may look like. */
import { randomInt } from 'node:crypto';
import type { Json } from '../defects/helpers.js';
import type { Variant } from './variant.js';

export const LISTS: readonly Variant[] = [
  {
    id: 'paged-lists',
    words: 'Lists are `{ success, count, next, previous, results, request_id }`, a page at a time.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const envelope = parts.successEnvelope(outcome, id, context) as Json;
        if (!('results' in outcome)) return envelope;
        const page = Number(context.query.get('page') ?? '1');
        const pages = Math.ceil(outcome.results.length / 10);
        const address = (number: number): string => `http://localhost${context.path}?page=${String(number)}`;
        return {
          ...envelope,
          next: page < pages ? address(page + 1) : null,
          previous: page > 1 ? address(page - 1) : null,
          results: outcome.results.slice((page - 1) * 10, page * 10),
        };
      },
    }),
  },
  {
    id: 'list-in-data',
    words:
      "The guide's success envelope: `{ success: true, data, request_id }`; the form of lists is a sibling page's.",
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) =>
        'results' in outcome
          ? { success: true, data: outcome.results, request_id: id }
          : parts.successEnvelope(outcome, id, context),
    }),
  },
  {
    id: 'list-in-an-object',
    words: "The guide's success envelope, with the rows under a name of their own.",
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) =>
        'results' in outcome
          ? { success: true, data: { keywords: outcome.results, total: outcome.results.length }, request_id: id }
          : parts.successEnvelope(outcome, id, context),
    }),
  },
  {
    id: 'newest-first',
    words: 'The order of a list is not said.',
    replace: (parts) => ({ keywordsOf: (user, site) => [...parts.keywordsOf(user, site)].reverse() }),
  },
  {
    id: 'ten-thousand-keywords',
    words: 'How long a list may be is not said: 1.6 MB of rows that were there before, all on one page.',
    long: true,
    replace: (parts, store) => {
      let filled = false;
      return {
        // The seeds come first, and their ids with them.
        keywordsOf: (user, site) => {
          const [owner] = store.users;
          if (!filled && owner !== undefined) {
            filled = true;
            const [open] = store.sites;
            for (let n = 0; n < 10_000; n += 1)
              store.keywords.unshift({
                id: store.nextId('keyword'),
                keyword: `imported keyword number ${String(n)} `.padEnd(110, 'of a long list '),
                siteId: open?.id ?? 1,
                accountId: owner.account.id,
              });
          }
          return parts.keywordsOf(user, site);
        },
        paginate: (keywords, context) => {
          const query = new URLSearchParams(context.query);
          if (query.has('page') || query.has('page_size')) return parts.paginate(keywords, context);
          return { rows: keywords, page: { count: keywords.length, next: null, previous: null } };
        },
      };
    },
  },
  {
    id: 'pages-of-one-row',
    words: 'Lists come a page at a time; how long a page is, nobody says.',
    replace: (parts) => ({
      paginate: (keywords, context) => {
        const query = new URLSearchParams(context.query);
        if (!query.has('page_size')) query.set('page_size', '1');
        return parts.paginate(keywords, { ...context, query });
      },
    }),
  },
  {
    id: 'pages-at-most-five-rows',
    words: 'A server may cap `page_size`, whatever is asked for.',
    replace: (parts) => ({
      paginate: (keywords, context) => {
        const query = new URLSearchParams(context.query);
        const size = query.getAll('page_size').at(-1) ?? '5';
        if (/^\d{1,9}$/.test(size) && Number(size) > 5) query.set('page_size', '5');
        return parts.paginate(keywords, { ...context, query });
      },
    }),
  },
  {
    id: 'page-addresses-absolute',
    words: '`next` and `previous` are addresses; Django REST framework writes them whole.',
    replace: (parts) => ({
      paginate: (keywords, context) => {
        const { rows, page } = parts.paginate(keywords, context);
        const whole = (link: string | null): string | null => link && `http://${context.headers['host'] ?? ''}${link}`;
        return { rows, page: { ...page, next: whole(page.next), previous: whole(page.previous) } };
      },
    }),
  },
  {
    id: 'rows-in-any-order',
    words: 'The order of a list is not said, and a database without ORDER BY has none.',
    replace: (parts) => ({
      keywordsOf: (user, site) =>
        parts
          .keywordsOf(user, site)
          .map((row) => ({ row, at: randomInt(1_000_000) }))
          .sort((a, b) => a.at - b.at)
          .map(({ row }) => row),
    }),
  },
  {
    id: 'rows-with-more-fields',
    words: 'Extra members inside `data` are no fault, nor in a row.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const more = (row: unknown): unknown =>
          typeof row === 'object' && row !== null && 'keyword' in row
            ? { ...row, volume: 1200, difficulty: 0.37, cluster: null, tags: ['a', 'b'], site: { id: 1, name: 'x' } }
            : row;
        return parts.successEnvelope(
          'results' in outcome
            ? { ...outcome, results: outcome.results.map(more) }
            : { ...outcome, data: more(outcome.data) },
          id,
          context,
        );
      },
    }),
  },
  {
    id: 'unknown-parameters-refused',
    words: 'ROB-11: odd query parameters are ignored, or refused with a 4xx.',
    replace: (parts) => ({
      arrange: (keywords, context) => {
        const odd = ['search', 'ordering'].filter((name) => (context.query.get(name) ?? '').length > 100);
        if (odd.length > 0) throw parts.unknownRoute(context);
        return parts.arrange(keywords, context);
      },
    }),
  },
];
