/** Faults of authorisation and tenants (FOR). */
import { type Parts, Refusal, type Store } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { type Json, authorizationOf, bodyOf, on, partOf, refusal } from './helpers.js';

export const FORBIDDEN: readonly Defect[] = [
  {
    id: 'viewer-writes',
    story: '`IsAuthenticated` is all that creation asks for.',
    clauses: ['FOR-01'],
    replace: () => ({ mayWrite: () => true }),
  },
  {
    id: 'viewer-404',
    story: 'What may not be written is hidden.',
    clauses: ['FOR-01'],
    replace: refusal('createKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(404, 'Resource not found') : refusal,
    ),
  },
  {
    id: 'viewer-401',
    story: 'Not allowed is taken for not authenticated, and the client logs out.',
    clauses: ['FOR-01'],
    replace: refusal('createKeyword', (refusal) => (refusal.status === 403 ? unauthenticated() : refusal)),
  },
  {
    id: 'forbidden-other-text',
    story: "DRF's own text.",
    clauses: ['FOR-02'],
    replace: refusal('createKeyword', (refusal) =>
      refusal.status === 403 ? new Refusal(403, 'You do not have permission to perform this action.') : refusal,
    ),
  },
  {
    id: 'forbidden-yet-written',
    story: 'Saved, then checked: refused, but there.',
    clauses: ['FOR-03'],
    replace: (parts, store) =>
      refusal('createKeyword', (refusal, context) => {
        if (refusal.status === 403 && context.user !== undefined) {
          const keyword = String((JSON.parse(context.rawBody.toString()) as Json)['keyword']);
          store.keywords.push({
            id: store.nextId('keyword'),
            keyword,
            siteId: store.sites[0]?.id ?? 1,
            accountId: context.user.account.id,
          });
        }
        return refusal;
      })(parts),
  },
  {
    id: 'foreign-shown',
    story: '`objects.get(pk=…)` without the account.',
    clauses: ['FOR-04'],
    replace: (parts) => ({
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        return {
          status: 200,
          data: { id: Number(context.parameters['id']), keyword: 'difference engine', site_id: user.account.id },
        };
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
    id: 'site-not-asked',
    story: '`site_id` filters, and nobody asks whether the user may see the site.',
    clauses: ['FOR-07'],
    replace: (_, store) => ({
      maySeeSite: (user, site) => store.sites.some(({ id, accountId }) => id === site && accountId === user.account.id),
    }),
  },
  {
    id: 'site-empty',
    story: 'A site without access has no rows: 200, and an empty list.',
    clauses: ['FOR-07'],
    replace: (parts) => ({
      listKeywords: async (context) => {
        try {
          return await parts.listKeywords(context);
        } catch (error) {
          if (error instanceof Refusal && error.status === 403) return { status: 200, results: [] };
          throw error;
        }
      },
    }),
  },
  {
    id: 'role-before-token',
    story: 'Middleware reads the role from the payload and refuses before anybody verified it.',
    clauses: ['FOR-08'],
    replace: (parts) => ({
      createKeyword: (context) => {
        if (partOf(authorizationOf(context).slice(7), 1)['role'] === 'viewer')
          throw new Refusal(403, 'Permission denied');
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'role-from-token',
    story: 'The role is read from the claims.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      mayWrite: (user, given) =>
        parts.mayWrite({ ...user, role: (given['role'] ?? user.role) as typeof user.role }, given),
    }),
  },
  {
    id: 'staff-from-token',
    story: '`is_staff` in the claims opens everything.',
    clauses: ['FOR-09'],
    replace: (parts) => ({ mayWrite: (user, given) => given['is_staff'] === true || parts.mayWrite(user, given) }),
  },
  {
    id: 'account-from-token',
    story: 'The tenant is read from the claims.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      maySee: (user, keyword, given) =>
        given['account_id'] === undefined
          ? parts.maySee(user, keyword, given)
          : given['account_id'] === keyword.accountId,
    }),
  },
  {
    id: 'user-in-a-shared-place',
    story: 'The user of a request is kept in a global, and another request comes in between.',
    clauses: ['FOR-06'],
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
    id: 'write-to-other-site',
    story: '`site_id` is a plain foreign key: any site that exists is taken.',
    clauses: ['FOR-10'],
    replace: (parts, store) => ({
      createKeyword: async (context) => {
        const user = await parts.writer(context);
        const { site_id: named, keyword } = bodyOf(context);
        const site = store.sites.find(({ id }) => id === named);
        if (site === undefined || site.accountId === user.account.id) return parts.createKeyword(context);
        const made = {
          id: store.nextId('keyword'),
          keyword: String(keyword),
          siteId: site.id,
          accountId: site.accountId,
        };
        parts.insertKeyword(made);
        return { status: 201, data: { id: made.id, keyword: made.keyword, site_id: made.siteId } };
      },
    }),
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
  ...(['PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
    id: `viewer-${method.toLowerCase()}`,
    story: `The role is asked at creation only, and ${method} takes whoever has a token.`,
    clauses: ['FOR-01' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      writer: (context) => (context.method === method ? parts.authenticate(context) : parts.writer(context)),
    }),
  })),
  ...(['PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
    id: `${method.toLowerCase()}-refused-yet-done`,
    story: `${method} is done first, and the role is asked afterwards, without a transaction around both.`,
    clauses: ['FOR-03' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      writer: async (context) => {
        const user = await parts.authenticate(context);
        if (context.method === method && !parts.mayWrite(user, context.claims ?? {})) {
          const row = parts.namedKeyword(context, user);
          if (method === 'DELETE') parts.removeKeyword(row);
          else parts.storeKeyword({ ...row, keyword: String(bodyOf(context)['keyword']) });
        }
        return parts.writer(context);
      },
    }),
  })),
];
