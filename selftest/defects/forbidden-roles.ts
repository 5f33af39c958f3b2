/** What a role may not do, or may not see. */
import { type Keyword, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { authorizationOf, bodyOf, isFurther, type Json, looseBody, omit, on, partOf, refusal } from './helpers.js';
import { dropsAccount, lists, oddSites, rowOf, shown } from './rows.js';

/** A site read out of the query in another way than the check reads it. */
const siteBy = (read: (query: URLSearchParams) => string | undefined) =>
  lists(({ query }, user, _, store) => {
    const site = read(query);
    if (site === undefined || !/^\d{1,15}$/.test(site)) return undefined;
    return store.keywords.filter((row) => row.siteId === Number(site) && row.accountId === user.account.id);
  });

export const FORBIDDEN_ROLES: readonly Defect[] = [
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
  ...(['PUT', 'PATCH', 'DELETE'] as const).map((method) => ({
    id: `viewer-${method.toLowerCase()}`,
    story: `The role is asked at creation only, and ${method} takes whoever has a token.`,
    clauses: ['FOR-01' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      writer: (context) => (context.method === method ? parts.authenticate(context) : parts.writer(context)),
    }),
  })),
  {
    id: 'viewer-moves-rows',
    story: 'The permission of a partial update is per field, and nobody listed `site_id`: a viewer may set it.',
    clauses: ['FOR-01'],
    replace: (parts) => ({
      writer: async (context) => {
        const user = await parts.authenticate(context);
        return context.operation === 'updateKeyword' && !Object.hasOwn(looseBody(context), 'keyword')
          ? user
          : parts.writer(context);
      },
    }),
  },
  {
    id: 'viewer-delete-401',
    story: 'DELETE by who may not logs the client out.',
    clauses: ['FOR-01'],
    replace: on('deleteKeyword', async (context, parts) => {
      if (!parts.mayWrite(await parts.authenticate(context), {})) throw unauthenticated();
      return undefined;
    }),
  },
  {
    id: 'viewer-patch-404',
    story: 'PATCH looks among the rows that one may write, and a viewer has none.',
    clauses: ['FOR-01'],
    replace: on('updateKeyword', async (context, parts) => {
      if (!parts.mayWrite(await parts.authenticate(context), {})) throw new Refusal(404, 'Resource not found');
      return undefined;
    }),
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
  {
    id: 'deleted-then-refused',
    story: 'The object permission is checked in perform_destroy, after the signal handler that takes the row away.',
    clauses: ['FOR-03'],
    replace: (parts) => ({
      deleteKeyword: async (context) => {
        try {
          return await parts.deleteKeyword(context);
        } catch (error) {
          const { user } = context;
          if (user !== undefined && !parts.mayWrite(user, {})) {
            let row: Keyword | undefined;
            try {
              row = parts.namedKeyword(context, user);
            } catch {
              // Not there, or not this tenant's.
            }
            if (row !== undefined) parts.removeKeyword(row);
          }
          throw error;
        }
      },
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
    id: 'site-alias-drops-account',
    story: '`?site=` was left of an older version.',
    clauses: ['FOR-07', 'FOR-06'],
    replace: dropsAccount('site'),
  },
  {
    id: 'site-with-leading-zero',
    story: 'The check compares strings, the query numbers: `02` is not denied.',
    clauses: ['FOR-07'],
    replace: siteBy((query) => /^0\d+$/.exec(query.get('site_id') ?? '')?.[0]),
  },
  {
    id: 'site-in-brackets',
    story: '`site_id[]` is read by the query only.',
    clauses: ['FOR-07'],
    replace: siteBy((query) => query.get('site_id[]') ?? undefined),
  },
  {
    id: 'site-in-camels',
    story: '`siteId` was renamed, and both are read.',
    clauses: ['FOR-07'],
    replace: siteBy((query) => query.get('siteId') ?? undefined),
  },
  {
    id: 'site-list-not-asked',
    story: 'Of `1,2` the check looks at the first.',
    clauses: ['FOR-07'],
    replace: siteBy((query) => /^\d+,(\d+)$/.exec(query.get('site_id') ?? '')?.[1]),
  },
  {
    id: 'site-with-search-not-asked',
    story: 'A search has a view of its own, which forgets to ask.',
    clauses: ['FOR-07'],
    replace: siteBy((query) => (query.has('search') ? (query.get('site_id') ?? undefined) : undefined)),
  },
  {
    id: 'row-of-denied-site',
    story: 'Single rows are looked up by their account only.',
    clauses: ['FOR-07'],
    replace: on('getKeyword', async (context, parts, store) => {
      const user = await parts.authenticate(context);
      const row = rowOf(store, context);
      return row?.accountId === user.account.id ? { status: 200, data: shown(row) } : undefined;
    }),
  },
  {
    id: 'site-with-a-zero',
    story: '`01` is no site that anybody checks.',
    clauses: ['FOR-07', 'ROB-11'],
    replace: oddSites(([site]) => (/^0\d+$/.test(site ?? '') ? site : undefined)),
  },
  {
    id: 'site-as-a-fraction',
    story: '`3.0` is read as a number after the check.',
    clauses: ['FOR-07', 'ROB-11'],
    replace: oddSites(([site]) => /^(\d+)\.0$/.exec(site ?? '')?.[1]),
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
    story: 'The tenant is read from the claims, and who is of a tenant sees all of its sites.',
    clauses: ['FOR-09', 'FOR-07'],
    replace: (parts) => ({
      maySee: (user, keyword, given) =>
        given['account_id'] === undefined
          ? parts.maySee(user, keyword, given)
          : given['account_id'] === keyword.accountId,
    }),
  },
  {
    id: 'account-claim-at-one-row',
    story: 'Single rows are compared with the token’s `account_id`, which saves a query.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      maySee: (user, row, claims) =>
        parts.maySee(user, row, claims) ||
        (claims['account_id'] !== user.account.id && claims['account_id'] === row.accountId),
    }),
  },
  {
    id: 'developer-from-token',
    story: 'Developers see every tenant; whether somebody is one is read from the claim `role`.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      maySee: (user, row, claims) => claims['role'] === 'developer' || parts.maySee(user, row, claims),
    }),
  },
  {
    id: 'session-takes-role-of-refresh-token',
    story: 'Refresh copies a `role` of the token presented into the session, which decides who may write.',
    clauses: ['FOR-09'],
    replace: (parts) => {
      const roles = new Map<string, unknown>();
      return {
        spend: async (claims) => {
          const chain = await parts.spend(claims);
          if (chain !== undefined && claims['role'] !== undefined) roles.set(chain.id, claims['role']);
          return chain;
        },
        claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), sid: chain.id }),
        mayWrite: (user, claims) => parts.mayWrite(user, claims) || roles.get(String(claims['sid'])) === 'owner',
      };
    },
  },
  {
    id: 'role-forgotten-by-refresh',
    story: 'Refresh leaves out the `role` claim, and a token without one is taken for a writer’s.',
    clauses: ['FOR-01'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        return occasion === 'refresh' && kind === 'access' ? omit(given, 'role') : given;
      },
      mayWrite: (user, claims) => claims['role'] === undefined || parts.mayWrite(user, claims),
    }),
  },
  {
    id: 'new-row-for-the-claim',
    story: 'A new row goes to the account of the claim; lists go by the database.',
    clauses: ['FOR-09'],
    replace: on('createKeyword', async (context, parts, store) => {
      const user = await parts.writer(context);
      const accountId = Number(context.claims?.['account_id']);
      const site = store.sites.find((one) => one.accountId === accountId);
      if (accountId === user.account.id || site === undefined) return undefined;
      const keyword = String(bodyOf(context)['keyword']);
      const made = { id: store.nextId('keyword'), keyword, siteId: site.id, accountId };
      parts.insertKeyword(made);
      return { status: 201, data: { id: made.id, keyword, site_id: site.id } };
    }),
  },
  {
    id: 'role-claim-opens-sites',
    story: 'Whose sites are looked up is decided by the claim `role`, to save a query: who is no viewer sees them all.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      authenticate: async (context) => {
        const user = await parts.authenticate(context);
        if (user.sites === undefined || context.claims?.['role'] !== 'owner') return user;
        const { sites: _, ...everywhere } = user;
        context.user = everywhere;
        return everywhere;
      },
    }),
  },
  {
    id: 'forbidden-in-other-words-on-delete',
    story: 'DELETE came with a mixin, whose refusal has the sentence of the framework.',
    clauses: ['FOR-02'],
    replace: refusal('deleteKeyword', (given) =>
      given.status === 403 ? new Refusal(403, 'You do not have permission to perform this action.') : given,
    ),
  },
  {
    id: 'role-of-the-token-at-a-row',
    story: 'The newer view of one row takes the role from the token and saves a query; the list asks the database.',
    clauses: ['FOR-09'],
    replace: (parts) => ({
      writer: async (context) => {
        if (!isFurther(context)) return parts.writer(context);
        const user = await parts.authenticate(context);
        return context.claims?.['role'] === 'owner' ? user : parts.writer(context);
      },
    }),
  },
];
