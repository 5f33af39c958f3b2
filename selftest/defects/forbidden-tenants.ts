/** Other tenants' rows that are shown or changed. */
import { type Context, type Parts, Refusal, type Store } from '../../fixtures/reference/behaviour.js';
import { bare } from './credentials.js';
import type { Defect } from './defect.js';
import { bodyOf, type Json, on, partOf, refusal, textOf, tokenOf } from './helpers.js';
import { dropsAccount, lists, rowOf, shown } from './rows.js';

const foreignSearch =
  (other: (words: string) => string | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    arrange: (keywords, context) => {
      const own = parts.arrange(keywords, context);
      const word = other((context.query.getAll('search').at(-1) ?? '').toLowerCase());
      const more = store.keywords.filter(
        (row) => word !== undefined && !own.includes(row) && row.keyword.toLowerCase().includes(word),
      );
      return [...own, ...more];
    },
  });

/** A row moved to a site that nobody looks at. */
const movesTo = (operation: 'updateKeyword' | 'replaceKeyword' | 'createKeyword', of: (site: unknown) => number) =>
  on(operation, async (context, parts, store) => {
    const user = await parts.writer(context);
    const body = bodyOf(context);
    const site = store.sites.find(({ id }) => id === of(body['site_id']));
    if (site === undefined || site.accountId === user.account.id || textOf(body['keyword']) === '') return undefined;
    const place = { siteId: site.id, accountId: site.accountId };
    const row =
      operation === 'createKeyword'
        ? { id: store.nextId('keyword'), keyword: textOf(body['keyword']), ...place }
        : { ...parts.namedKeyword(context, user), keyword: textOf(body['keyword']), ...place };
    if (operation === 'createKeyword') parts.insertKeyword(row);
    else parts.storeKeyword(row);
    return { status: operation === 'createKeyword' ? 201 : 200, data: shown(row) };
  });

/** A POST to a row that does what another method does, to whatever row. */
const overridden =
  (method: (context: Context) => string | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    wrongMethod: (context, allowed) => {
      const id = /planner\/keywords\/(\d+)\/$/.exec(context.path)?.[1];
      const row = store.keywords.find((one) => String(one.id) === id);
      if (context.method === 'POST' && row !== undefined && !bare(context) && method(context) === 'DELETE')
        parts.removeKeyword(row);
      if (context.method === 'POST' && row !== undefined && !bare(context) && method(context) === 'PUT')
        parts.storeKeyword({ ...row, keyword: textOf(bodyOf(context)['keyword']) });
      return parts.wrongMethod(context, allowed);
    },
  });

/** Done to another tenant's row, and then refused. */
const doneThenRefused = (operation: 'deleteKeyword' | 'replaceKeyword' | 'updateKeyword') =>
  on(operation, async (context, parts, store) => {
    const user = await parts.writer(context);
    const row = rowOf(store, context);
    if (row === undefined || row.accountId === user.account.id) return undefined;
    if (operation === 'deleteKeyword') parts.removeKeyword(row);
    else parts.storeKeyword({ ...row, keyword: textOf(bodyOf(context)['keyword']) });
    throw new Refusal(403, 'Permission denied');
  });

/** A new row goes to the site that its body names, whosever it is. */
const createdIn =
  (named: (body: Json) => unknown) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    createKeyword: async (context) => {
      const user = await parts.writer(context);
      const body = bodyOf(context);
      const wanted = named(body);
      const site = store.sites.find(({ id }) => id === wanted);
      if (site === undefined || site.accountId === user.account.id) return parts.createKeyword(context);
      const keyword = String(body['keyword']);
      const made = { id: store.nextId('keyword'), keyword, siteId: site.id, accountId: site.accountId };
      parts.insertKeyword(made);
      return { status: 201, data: { id: made.id, keyword, site_id: made.siteId } };
    },
  });

export const FORBIDDEN_TENANTS: readonly Defect[] = [
  {
    id: 'foreign-shown',
    story: '`objects.get(pk=…)` without the account.',
    clauses: ['FOR-04'],
    replace: (parts, store) => ({
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
        if (row === undefined) throw new Refusal(404, 'Resource not found');
        const own = row.accountId === user.account.id;
        if (own && !parts.maySee(user, row, context.claims ?? {})) throw parts.hidden();
        return { status: 200, data: { id: row.id, keyword: row.keyword, site_id: row.siteId } };
      },
    }),
  },
  {
    id: 'foreign-500',
    story: 'The check of the account compares with None.',
    clauses: ['FOR-04', 'FOR-07', 'ROB-11'],
    replace: () => ({ hidden: () => new Refusal(500, 'Internal server error') }),
  },
  {
    id: 'refusal-quotes-the-keyword',
    story: 'The refusal names what it refuses, for a helpful message.',
    clauses: ['FOR-04'],
    replace: on('getKeyword', async (context, parts, store) => {
      const user = await parts.authenticate(context);
      const keyword = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
      if (keyword !== undefined && keyword.accountId !== user.account.id)
        throw new Refusal(403, `You may not see “${keyword.keyword}”`);
      return undefined;
    }),
  },
  {
    id: 'refusal-names-the-row',
    story: "The refusal is built from the row's __str__: who may not see it reads its text in the error.",
    clauses: ['FOR-04'],
    replace: (parts, store) => ({
      namedKeyword: (context, user) => {
        try {
          return parts.namedKeyword(context, user);
        } catch (error) {
          const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
          if (!(error instanceof Refusal) || row === undefined) throw error;
          throw new Refusal(error.status, `Permission denied: ${row.keyword} (site ${String(row.siteId)})`);
        }
      },
    }),
  },
  {
    id: 'foreign-404',
    story: 'Querysets are filtered by account: a foreign id is not there.',
    clauses: ['FOR-05'],
    replace: refusal('getKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(404, 'Resource not found') : refusal,
    ),
  },
  {
    id: 'list-unfiltered',
    story: '`get_queryset` forgets the account.',
    clauses: ['FOR-06'],
    replace: (_, store) => ({ keywordsOf: () => store.keywords }),
  },
  {
    id: 'list-cached',
    story: 'The list is cached by its URL, and the next account gets it.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      keywordsOf: (user, site) => [...parts.keywordsOf(user, site), ...store.keywords.slice(2, 3)],
    }),
  },
  {
    id: 'user-in-a-shared-place',
    story: 'The user of a request is kept in a global, and another request comes in between.',
    clauses: ['FOR-06'],
    may: ['REG-10', 'UNA-19'],
    replace: (parts) => {
      const global: { user?: Awaited<ReturnType<Parts['authenticate']>> } = {};
      return {
        listKeywords: async (context) => {
          global.user = await parts.authenticate(context);
          await new Promise((resolve) => setTimeout(resolve, 3));
          const asked = context.query.get('site_id');
          if (asked !== null) return parts.listKeywords(context);
          const rows = parts.keywordsOf(global.user, undefined);
          return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
        },
      };
    },
  },
  {
    id: 'site-of-another-account',
    story: 'The filter by site takes the place of the filter by account.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      listKeywords: async (context) => {
        const user = await parts.authenticate(context);
        const site = store.sites.find(({ id }) => String(id) === context.query.get('site_id'));
        if (site === undefined || site.accountId === user.account.id) return parts.listKeywords(context);
        const rows = store.keywords.filter(({ siteId }) => siteId === site.id);
        return { status: 200, results: rows.map(({ id, keyword, siteId }) => ({ id, keyword, site_id: siteId })) };
      },
    }),
  },
  {
    id: 'or-binds-weaker',
    story: 'Q(account=a) & Q(keyword__icontains=s) | Q(keyword__iexact=s): the second half is of no account.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      arrange: (keywords, context) => {
        const rows = parts.arrange(keywords, context);
        const search = (context.query.getAll('search').at(-1) ?? '').toLowerCase();
        const exact = store.keywords.filter((row) => row.keyword.toLowerCase() === search && !rows.includes(row));
        return [...rows, ...exact];
      },
    }),
  },
  {
    id: 'or-without-parentheses',
    story: '`account = 1 AND keyword LIKE a OR keyword LIKE b`: the second word finds rows of every tenant.',
    clauses: ['FOR-06'],
    replace: foreignSearch((words) => (words.includes(',') ? undefined : words.split(/\s+/)[1])),
  },
  {
    id: 'search-list-unfiltered',
    story: 'A search for several texts, by commas, is a query of its own.',
    clauses: ['FOR-06'],
    replace: foreignSearch((words) => words.split(',')[1]),
  },
  {
    id: 'id-filter-drops-account',
    story: '`?id=` looks rows up by their ids alone.',
    clauses: ['FOR-06'],
    replace: dropsAccount('id'),
  },
  {
    id: 'account-filter-believed',
    story: '`?account=` takes the place of one’s own.',
    clauses: ['FOR-06'],
    replace: dropsAccount('account'),
  },
  {
    id: 'keyword-filter-drops-account',
    story: 'An exact `?keyword=` is asked of an index of all tenants.',
    clauses: ['FOR-06'],
    replace: dropsAccount('keyword'),
  },
  {
    id: 'all-shows-all',
    story: '`?all=true` is for staff, and nobody asks.',
    clauses: ['FOR-06'],
    replace: lists(({ query }, _, __, store) => (query.get('all') === 'true' ? store.keywords : undefined)),
  },
  {
    id: 'write-to-other-site',
    story: '`site_id` is a plain foreign key: any site that exists is taken.',
    clauses: ['FOR-10'],
    replace: createdIn((body) => body['site_id']),
  },
  {
    id: 'nested-site-not-asked',
    story: 'A writable nested serializer: the `id` in `site` is looked up among the sites of all tenants.',
    clauses: ['FOR-10'],
    replace: createdIn(({ site }) => (typeof site === 'object' && site !== null && 'id' in site ? site.id : undefined)),
  },
  {
    id: 'write-names-account',
    story: '`?account_id=` was made for support staff, and nobody asks who uses it.',
    clauses: ['FOR-10'],
    replace: (parts, store) => ({
      createKeyword: async (context) => {
        await parts.writer(context);
        const named = context.query.get('account_id');
        const site = store.sites.find(({ accountId }) => String(accountId) === named);
        if (site === undefined) return parts.createKeyword(context);
        const keyword = String(bodyOf(context)['keyword']);
        const made = { id: store.nextId('keyword'), keyword, siteId: site.id, accountId: site.accountId };
        parts.insertKeyword(made);
        return { status: 201, data: { id: made.id, keyword, site_id: made.siteId } };
      },
    }),
  },
  {
    id: 'patch-moves-to-other-site',
    story: 'PATCH takes any site that exists.',
    clauses: ['FOR-10'],
    replace: movesTo('updateKeyword', Number),
  },
  {
    id: 'put-moves-to-other-site',
    story: 'PUT takes any site that exists.',
    clauses: ['FOR-10'],
    replace: movesTo('replaceKeyword', Number),
  },
  {
    id: 'site-as-a-string-not-asked',
    story: 'The check compares with numbers, the database reads strings as well.',
    clauses: ['FOR-10'],
    replace: movesTo('createKeyword', (site) => (typeof site === 'string' ? Number(site) : NaN)),
  },
  ...(['PATCH', 'PUT', 'DELETE'] as const).map((method) => ({
    id: `foreign-${method.toLowerCase()}`,
    story: `${method} looks a row up by its id alone; \`get_queryset\` was overridden for reading.`,
    clauses: ['FOR-11' as const],
    replace: (parts: Parts, store: Store): Partial<Parts> => ({
      namedKeyword: (context, user) => {
        const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
        return context.method === method && row !== undefined ? row : parts.namedKeyword(context, user);
      },
    }),
  })),
  {
    id: 'create-with-an-id',
    story: 'Keyword(**data).save(): with an `id` in the body of a POST it is an UPDATE of that row, whosever it was.',
    clauses: ['FOR-11'],
    replace: (parts, store) => ({
      createKeyword: async (context) => {
        const outcome = await parts.createKeyword(context);
        const { id } = parts.readBody(context);
        const old = store.keywords.find((row) => row.id === id);
        const made = store.keywords.at(-1);
        if (old === undefined || made === undefined || old === made || !('data' in outcome)) return outcome;
        parts.removeKeyword(made);
        parts.storeKeyword({ ...made, id: old.id });
        return { ...outcome, data: { ...(outcome.data as object), id: old.id } };
      },
    }),
  },
  {
    id: 'override-by-header',
    story: '`X-HTTP-Method-Override` is followed before anybody asks whose row it is.',
    clauses: ['FOR-11'],
    replace: overridden(({ headers }) => headers['x-http-method-override']),
  },
  {
    id: 'override-by-query',
    story: '`?_method=` of an old form, likewise.',
    clauses: ['FOR-11'],
    replace: overridden(({ query }) => query.get('_method') ?? ''),
  },
  {
    id: 'foreign-deleted-then-403',
    story: 'The hook of DELETE runs before the permission.',
    clauses: ['FOR-11'],
    replace: doneThenRefused('deleteKeyword'),
  },
  {
    id: 'foreign-put-then-403',
    story: 'PUT saves, and then asks.',
    clauses: ['FOR-11'],
    replace: doneThenRefused('replaceKeyword'),
  },
  {
    id: 'foreign-patch-then-403',
    story: 'PATCH saves, and then asks.',
    clauses: ['FOR-11'],
    replace: doneThenRefused('updateKeyword'),
  },
  {
    id: 'later-pages-of-the-whole-table',
    story: 'From the second page on a list is cut before the tenant is filtered.',
    clauses: ['FOR-06'],
    replace: (parts, store) => ({
      paginate: (keywords, context) =>
        parts.paginate(Number(context.query.get('page') ?? '1') > 1 ? store.keywords : keywords, context),
    }),
  },
  {
    id: 'tenant-before-signature',
    story:
      'A tenant middleware reads the account out of the token before anybody verifies it, and hides rows of others with 403.',
    clauses: ['FOR-08'],
    replace: on('getKeyword', (context, parts, store) => {
      const account = partOf(tokenOf(context), 1)['account_id'];
      const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
      if (typeof account === 'number' && row !== undefined && row.accountId !== account) throw parts.hidden();
      return undefined;
    }),
  },
];
