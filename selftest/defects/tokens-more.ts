/** Defects of tokens, expiry and rotation beside the obvious: another origin, another route, another company, another spelling. */
import type { Chain, Claims, Context, Occasion, Outcome, Parts, User } from '../../fixtures/reference/behaviour.js';
import { Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { bodyOf, claims, json, on, type Json } from './helpers.js';
import type { Defect } from './defect.js';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const dataOf = (outcome: Outcome): Json => ('data' in outcome ? (outcome.data as Json) : {});

const refreshOf = (context: Context): string => text(bodyOf(context)['refresh']);

/** Seconds. */
const HOUR = 3600;
const HALF_DAY = 12 * HOUR;

/** Who a request's token belongs to; undefined if it has no good one. */
async function bearerOf(parts: Parts, context: Context): Promise<User | undefined> {
  try {
    return await parts.authenticate({ ...context });
  } catch {
    return undefined;
  }
}

/** The chain of the refresh token that an operation gave. */
function chainOf(parts: Parts, chains: ReadonlyMap<string, Chain>, outcome: Outcome): Chain | undefined {
  const { chain } = parts.verifySignature(text(dataOf(outcome)['refresh']), 'refresh');
  return chains.get(text(chain));
}

/** Chains that sign-up began: what later comes of them is made in another way. */
const chainsOfSignUp =
  (change: (given: Claims, kind: string, occasion: Occasion) => Claims) =>
  (parts: Parts): Partial<Parts> => {
    const ofSignUp = new Set<string>();
    return {
      claims: (kind, user, chain, occasion) => {
        if (occasion === 'register') ofSignUp.add(chain.id);
        const given = parts.claims(kind, user, chain, occasion);
        return ofSignUp.has(chain.id) ? change(given, kind, occasion) : given;
      },
    };
  };

/** Tokens of some requests are good for longer than their `exp` says. */
const forgiving =
  (seconds: number, when: (context: Context) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: (context) => {
      if (!when(context)) return parts.authenticate(context);
      const given = parts.verifySignature(parts.bearer(context), 'access');
      parts.verifyKind(given, 'access');
      const { exp } = given;
      parts.verifyTimes(typeof exp === 'number' ? { ...given, exp: exp + seconds } : given, 'access');
      const user = parts.userById(given['user_id']);
      if (user === undefined) throw unauthenticated();
      context.claims = given;
      context.user = user;
      return Promise.resolve(user);
    },
  });

/** A live refresh token is taken from another place when the body has none. */
const tokenFrom = (find: (context: Context) => string | undefined | null) =>
  on('refresh', (context, parts) => {
    const token = find(context);
    if (token === undefined || token === null || 'refresh' in json(context.rawBody.toString())) return undefined;
    return parts.refresh(Object.assign(context, { rawBody: Buffer.from(JSON.stringify({ refresh: token })) }));
  });

/** The refresh token is spent, whatever comes of the request. */
async function spendAnyway(parts: Parts, token: string): Promise<void> {
  try {
    await parts.spend(parts.verifySignature(token, 'refresh'));
  } catch {
    // No token of ours.
  }
}

/** Spent tokens are known by their text, of which `clean` makes what is decoded. */
const blacklistByText =
  (clean: (token: string) => string) =>
  (parts: Parts, store: { readonly chains: ReadonlyMap<string, Chain> }): Partial<Parts> => {
    const texts = new WeakMap<Claims, string>();
    const spent = new Set<string>();
    return {
      validateRefresh: (body) => parts.validateRefresh(body),
      verifySignature: (token, kind) => {
        if (kind === 'access') return parts.verifySignature(token, kind);
        const given = { ...parts.verifySignature(clean(token), kind) };
        texts.set(given, token);
        return given;
      },
      spend: (given) => {
        const chain = store.chains.get(text(given['chain']));
        const presented = texts.get(given) ?? '';
        if (chain === undefined || chain.revoked) return undefined;
        if (spent.has(presented)) {
          parts.reused(chain);
          return undefined;
        }
        spent.add(presented);
        chain.current = parts.tokenId();
        return chain;
      },
    };
  };

export const MORE_OF_TOKENS: readonly Defect[] = [
  // Origins and roles
  {
    id: 'subject-is-email-after-refresh',
    story:
      'Refresh builds its access token with another helper, which puts the e-mail into `user_id`; the backend resolves both.',
    clauses: ['TOK-04'],
    replace: (parts, store) => ({
      ...claims((given, kind, occasion) => {
        const user = store.users.find(({ id }) => id === given['user_id']);
        return kind === 'access' && occasion === 'refresh' ? { ...given, user_id: user?.email } : given;
      })(parts),
      userById: (id) => parts.userById(id) ?? store.users.find(({ email }) => email === id),
    }),
  },
  {
    id: 'iat-local-time-after-rotation',
    story: 'Rotation takes a naive time of a host in UTC+1 for UTC: rotated refresh tokens are an hour ahead.',
    clauses: ['TOK-06'],
    replace: claims((given, kind, occasion) =>
      kind === 'refresh' && occasion === 'refresh' ? { ...given, iat: Number(given['iat']) + HOUR } : given,
    ),
  },
  {
    id: 'hash-in-refreshed-token',
    story: 'Refresh serializes the whole user into the access token.',
    clauses: ['TOK-07'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => ({
        ...parts.claims(kind, user, chain, occasion),
        ...(occasion === 'refresh'
          ? { user: { password: '$2b$12$abcdefghijklmnopqrstuuJ8Zq0N1s5v9e3x7y2w4t6r8p0m2n4b6' } }
          : {}),
      }),
    }),
  },
  {
    id: 'viewers-live-longer',
    story: 'Dashboards on the wall log in as viewers, so viewers got access tokens of twelve hours.',
    clauses: ['EXP-01'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const longer = kind === 'access' && user.role === 'viewer' && occasion !== 'refresh';
        return longer ? { ...given, exp: Number(given['iat']) + HALF_DAY } : given;
      },
    }),
  },
  {
    id: 'viewers-live-longer-after-refresh',
    story: 'The same rule was written into refresh only.',
    clauses: ['EXP-08'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const longer = kind === 'access' && user.role === 'viewer' && occasion === 'refresh';
        return longer ? { ...given, exp: Number(given['iat']) + HALF_DAY } : given;
      },
    }),
  },
  {
    id: 'viewers-refresh-for-a-day',
    story: 'Guests were given refresh tokens of one day.',
    clauses: ['EXP-02'],
    replace: (parts) => ({
      claims: (kind, user, chain, occasion) => {
        const given = parts.claims(kind, user, chain, occasion);
        const shorter = kind === 'refresh' && user.role === 'viewer' && occasion !== 'refresh';
        return shorter ? { ...given, exp: Number(given['iat']) + 24 * HOUR } : given;
      },
    }),
  },
  {
    id: 'sign-up-refreshes-to-an-hour',
    story: 'A chain that began at sign-up is of the onboarding kind, whose access tokens last an hour once refreshed.',
    clauses: ['EXP-08'],
    replace: chainsOfSignUp((given, kind, occasion) =>
      kind === 'access' && occasion === 'refresh' ? { ...given, exp: Number(given['iat']) + HOUR } : given,
    ),
  },
  {
    id: 'sign-up-rotates-to-a-day',
    story: 'A chain that began at sign-up is rotated to refresh tokens of a day.',
    clauses: ['EXP-09'],
    replace: chainsOfSignUp((given, kind, occasion) =>
      kind === 'refresh' && occasion === 'refresh' ? { ...given, exp: Number(given['iat']) + 24 * HOUR } : given,
    ),
  },
  {
    id: 'first-session-never-ends',
    story:
      'Sessions of sign-up are marked, and the expiry check of refresh skips those so that nobody is lost half-way.',
    clauses: ['EXP-06'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'refresh' && occasion === 'register' ? { ...given, onboarding: true } : given,
      )(parts),
      verifyTimes: (given, kind) => {
        const skip = kind === 'refresh' && given['onboarding'] === true && typeof given['exp'] === 'number';
        parts.verifyTimes(skip ? { ...given, exp: Number.MAX_SAFE_INTEGER } : given, kind);
      },
    }),
  },
  // Routes
  {
    id: 'grace-of-five-minutes-for-one-row',
    story: 'The detail view is behind a gateway with a leeway of five minutes.',
    clauses: ['EXP-07'],
    replace: forgiving(300, ({ operation }) => operation === 'getKeyword'),
  },
  {
    id: 'grace-of-two-minutes-for-writes',
    story: 'Forms that take long to fill in got two minutes more.',
    clauses: ['EXP-07'],
    replace: forgiving(120, ({ operation }) => operation === 'createKeyword'),
  },
  {
    id: 'refreshed-token-reads-only',
    story: 'The scopes of the login are not carried over: a refreshed token may read, and not write.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, scope: 'read' } : given,
      )(parts),
      createKeyword: async (context) => {
        const user = await parts.authenticate(context);
        if (context.claims?.['scope'] === 'read' && parts.mayWrite(user, {}))
          throw new Refusal(403, 'Permission denied');
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'refreshed-token-not-for-one-row',
    story: 'The detail service has the old list of sessions, in which a refreshed token is not.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, renewed: true } : given,
      )(parts),
      getKeyword: async (context) => {
        await parts.authenticate(context);
        if (context.claims?.['renewed'] === true) throw unauthenticated('Invalid or expired token');
        return parts.getKeyword(context);
      },
    }),
  },
  // Company
  {
    id: 'bearer-beats-refresh-token',
    story:
      'Refresh makes the access token for the user of a live Authorization header; the refresh token only has to be good.',
    clauses: ['REF-02'],
    replace: (parts, store) => ({
      refresh: async (context) => {
        const outcome = await parts.refresh(context);
        const user = await bearerOf(parts, context);
        const chain = chainOf(parts, store.chains, outcome);
        if (user === undefined || chain === undefined || user.id === chain.userId || !('data' in outcome))
          return outcome;
        const access = parts.sign(parts.claims('access', user, chain, 'refresh'), 'access');
        return { ...outcome, data: { ...dataOf(outcome), access } };
      },
    }),
  },
  {
    id: 'later-refresh-of-another-user',
    story: 'From the second rotation on the user is taken from a cache that was filled by somebody else.',
    clauses: ['REF-02'],
    replace: (parts, store) => {
      const rotations = new Map<string, number>();
      return {
        claims: (kind, user, chain, occasion) => {
          const given = parts.claims(kind, user, chain, occasion);
          if (kind !== 'access' || occasion !== 'refresh') return given;
          const count = (rotations.get(chain.id) ?? 0) + 1;
          rotations.set(chain.id, count);
          const other = store.users.find(({ id }) => id !== user.id);
          return count === 3 && other !== undefined ? { ...given, user_id: other.id } : given;
        },
      };
    },
  },
  {
    id: 'refresh-refused-beside-other-user',
    story: 'Refresh compares its token with the user of the Authorization header.',
    clauses: ['REF-07'],
    replace: on('refresh', async (context, parts) => {
      const user = await bearerOf(parts, context);
      if (user === undefined) return undefined;
      const { user_id: subject } = parts.verifySignature(refreshOf(context), 'refresh');
      if (subject !== user.id) throw new Refusal(403, 'Permission denied');
      return undefined;
    }),
  },
  {
    id: 'spent-token-good-beside-bearer',
    story: 'Whoever brings a live access token of the same user may present a spent refresh token once more.',
    clauses: ['REF-05'],
    replace: on('refresh', async (context, parts, store) => {
      const user = await bearerOf(parts, context);
      if (user === undefined) return undefined;
      let given: Claims;
      try {
        given = parts.verifySignature(refreshOf(context), 'refresh');
      } catch {
        return undefined;
      }
      const chain = store.chains.get(text(given['chain']));
      if (given['user_id'] !== user.id || chain === undefined || chain.current === given['jti']) return undefined;
      return { status: 200, data: parts.issue(user, chain, 'refresh') };
    }),
  },
  {
    id: 'spent-tokens-forgotten-at-login',
    story: 'The list of spent tokens is per user, and a new login clears it.',
    clauses: ['REF-05'],
    replace: (parts, store) => {
      const cleared = new Set<string>();
      return {
        login: async (context) => {
          const outcome = await parts.login(context);
          const user = chainOf(parts, store.chains, outcome)?.userId;
          for (const chain of store.chains.values()) if (chain.userId === user) cleared.add(chain.id);
          return outcome;
        },
        spend: (given) => {
          const chain = store.chains.get(text(given['chain']));
          if (chain === undefined || !cleared.has(chain.id) || chain.revoked) return parts.spend(given);
          if (chain.current !== given['jti']) cleared.delete(chain.id);
          chain.current = parts.tokenId();
          return chain;
        },
      };
    },
  },
  // Spelling
  {
    id: 'spent-tokens-by-text-padded',
    story: 'Spent tokens are known by their text; the decoder forgives padding and spare bits.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => {
      const [header = '', payload = '', signature = ''] = token.split('.');
      if (!/^[\w-]+=*$/.test(signature)) return token;
      return [header, payload, Buffer.from(signature, 'base64url').toString('base64url')].join('.');
    }),
  },
  {
    id: 'spent-tokens-by-text-trimmed',
    story: 'Spent tokens are known by their text as it came; blanks around it are cut off before it is verified.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => token.trim()),
  },
  {
    id: 'spent-tokens-by-text-bearer',
    story: 'Spent tokens are known by their text as it came; a `Bearer` in front is cut off, for clients that send it.',
    clauses: ['REF-05'],
    replace: blacklistByText((token) => token.replace(/^Bearer /, '')),
  },
  // Places
  {
    id: 'refresh-from-cookie',
    story: 'The refresh token is taken from its cookie when the body has none.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => /(?:^|; )refresh_token=([^;]+)/.exec(headers['cookie'] ?? '')?.[1]),
  },
  {
    id: 'refresh-from-bearer',
    story: 'The refresh token is taken from the Authorization header, as one library has it by default.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1]),
  },
  {
    id: 'refresh-from-query',
    story: 'Parameters of query and body are merged.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ query }) => query.get('refresh')),
  },
  {
    id: 'refresh-from-header',
    story: 'A mobile client of old sends it in a header of its own.',
    clauses: ['REF-10'],
    replace: tokenFrom(({ headers }) => headers['x-refresh-token']),
  },
  // Other sessions, and refusals that spend
  {
    id: 'sign-up-session-ended-by-others',
    story: 'The session of sign-up is provisional: the first rotation of any other login of the user ends it.',
    clauses: ['REF-14'],
    replace: (parts, store) => {
      const provisional = new Set<Chain>();
      return {
        register: async (context) => {
          const outcome = await parts.register(context);
          const chain = chainOf(parts, store.chains, outcome);
          if (chain !== undefined) provisional.add(chain);
          return outcome;
        },
        spend: async (given) => {
          const chain = await parts.spend(given);
          if (chain === undefined || provisional.has(chain)) return chain;
          for (const other of provisional) if (other.userId === chain.userId) other.revoked = true;
          return chain;
        },
      };
    },
  },
  {
    id: 'charset-refused-after-spending',
    story: 'A middleware rotates before the parser looks at the charset: the 415 comes when the token is spent.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if ((context.headers['content-type'] ?? '').includes('charset=x')) await spendAnyway(parts, refreshOf(context));
      return undefined;
    }),
  },
  {
    id: 'type-refused-after-spending',
    story: 'The same for another content type.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if ((context.headers['content-type'] ?? '').startsWith('text/')) await spendAnyway(parts, refreshOf(context));
      return undefined;
    }),
  },
  {
    id: 'method-refused-after-spending',
    story: 'The view rotates for any method, and the response to the wrong one is made afterwards.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      wrongMethod: (context, allowed) => {
        if (context.path.endsWith('/auth/refresh/')) void spendAnyway(parts, refreshOf(context));
        return parts.wrongMethod(context, allowed);
      },
    }),
  },
];
