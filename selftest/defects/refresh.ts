/** Faults of refresh and rotation (REF). */
import { createHmac } from 'node:crypto';
import { decode } from '../../fixtures/evidence/jwt.js';
import { type Claims, type Context, type Parts, Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import {
  KNOWN,
  alsoTakes,
  bodyOf,
  claims,
  mac,
  on,
  partOf,
  pause,
  refreshed,
  refusal,
  signatureOf,
  unwraps,
} from './helpers.js';

/** Claims of a token that nobody verified. */
const unverified = (token: string): Claims => {
  const decoded = decode(token);
  if (decoded === undefined) throw unauthenticated('Invalid or expired token');
  return decoded.claims;
};

const refreshOf = (context: Context): unknown => bodyOf(context)['refresh'];

/** Chains refused from their nth rotation on. */
const lastingFor =
  (rotations: number) =>
  (parts: Parts): Partial<Parts> => {
    const turns = new Map<string, number>();
    return {
      spend: (given) => {
        const id = String(given['chain']);
        const turn = (turns.get(id) ?? 0) + 1;
        turns.set(id, turn);
        return turn > rotations ? undefined : parts.spend(given);
      },
    };
  };

const refreshSignature =
  (accept: (token: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) =>
      kind === 'refresh' && accept(token)
        ? unverified(token.split('.').length === 2 ? `${token}.` : token)
        : parts.verifySignature(token, kind),
  });

const signedWith = (token: string, key: string | Buffer): boolean => {
  const [head = '', body = '', signature] = token.split('.');
  return createHmac('sha256', key).update(`${head}.${body}`).digest('base64url') === signature;
};

const algOf = (token: string): string => String(partOf(token, 0)['alg'] ?? '');

/** Between the look at the current token and its change, others get in. */
function raceWindow(parts: Parts): Partial<Parts> {
  const spent = new Set<string>();
  return {
    spend: async (given) => {
      const id = `${String(given['chain'])} ${String(given['jti'])}`;
      const seen = spent.has(id);
      await pause(15);
      const late = spent.has(id) && !seen;
      spent.add(id);
      // It looked before the winner wrote, and so it is let in as well.
      const user = late ? parts.userById(given['user_id']) : undefined;
      return user === undefined ? parts.spend(given) : parts.openChain(user);
    },
  };
}

export const REFRESH: readonly Defect[] = [
  {
    id: 'refresh-nested-unwrapped',
    story: 'The refresh service unwraps a token inside a token, and does not verify the wrapping.',
    clauses: ['REF-11'],
    replace: unwraps('refresh'),
  },
  {
    id: 'refresh-201',
    story: 'Refresh is a create view.',
    clauses: ['REF-01'],
    replace: refreshed((pair) => pair, 201),
  },
  {
    id: 'refresh-access-only',
    story: 'Rotation was built and reverted: an access token alone comes back.',
    clauses: ['REF-01'],
    replace: refreshed(({ access }) => ({ access })),
  },
  {
    id: 'refresh-of-other-user',
    story: 'The new access token is for the next user of the table.',
    clauses: ['REF-02'],
    replace: refreshed(({ access, refresh }, _, parts) => ({
      refresh,
      access: parts.sign({ ...unverified(access), user_id: (Number(unverified(access)['user_id']) % 3) + 1 }, 'access'),
    })),
  },
  {
    id: 'refreshed-access-dead',
    story: 'The new access token carries the revoked session of the old.',
    clauses: ['REF-02'],
    replace: (parts) => ({
      ...claims((given, kind, occasion) =>
        kind === 'access' && occasion === 'refresh' ? { ...given, session: 'old' } : given,
      )(parts),
      verifyTimes: (given, kind) => {
        if (given['session'] === 'old') throw unauthenticated();
        parts.verifyTimes(given, kind);
      },
    }),
  },
  {
    id: 'refresh-same-access',
    story: 'The access token is cached until it ends.',
    clauses: ['REF-03'],
    replace: (parts) => {
      const cache = new Map<string, string>();
      return {
        issue: (user, chain, occasion) => {
          const pair = parts.issue(user, chain, occasion);
          const access = cache.get(chain.id) ?? pair.access;
          cache.set(chain.id, access);
          return { ...pair, access };
        },
      };
    },
  },
  {
    id: 'refresh-same-refresh',
    story: '`ROTATE_REFRESH_TOKENS` is off, and the token presented is given back.',
    clauses: ['REF-04'],
    replace: (parts, store) => ({
      spend: (given) => store.chains.get(String(given['chain'])),
      ...refreshed(({ access }, context) => ({ access, refresh: refreshOf(context) }))({
        ...parts,
        refresh: parts.refresh,
      }),
    }),
  },
  {
    id: 'spent-accepted',
    story: '`ROTATE_REFRESH_TOKENS` without `BLACKLIST_AFTER_ROTATION`.',
    clauses: ['REF-05', 'REF-12'],
    replace: (parts, store) => ({
      spend: (given) => {
        const chain = store.chains.get(String(given['chain']));
        if (chain !== undefined) chain.current = parts.tokenId();
        return chain;
      },
    }),
  },
  {
    id: 'spent-accepted-once',
    story: 'A grace for the token before the last, for browsers with two tabs, without an end.',
    clauses: ['REF-05', 'REF-12'],
    replace: (parts, store) => {
      const before = new Map<string, unknown>();
      return {
        spend: async (given) => {
          const chain = store.chains.get(String(given['chain']));
          if (chain !== undefined && !chain.revoked && before.get(chain.id) === given['jti']) {
            chain.current = parts.tokenId();
            return chain;
          }
          const spent = await parts.spend(given);
          if (spent !== undefined) before.set(spent.id, given['jti']);
          return spent;
        },
      };
    },
  },
  {
    id: 'spent-400',
    story: 'Right refusal, wrong status.',
    clauses: ['REF-05'],
    replace: (parts) => ({
      spend: async (given) => {
        const chain = await parts.spend(given);
        if (chain === undefined) throw new Refusal(400, 'Token is blacklisted');
        return chain;
      },
    }),
  },
  {
    id: 'rotation-twice',
    story: 'The third rotation in a row is taken for abuse.',
    clauses: ['REF-06'],
    replace: lastingFor(2),
  },
  {
    id: 'refresh-reads-bearer',
    story: 'Authentication classes run on refresh, and an expired token is refused.',
    clauses: ['REF-07'],
    replace: (parts) => ({
      refresh: async (context) => {
        if (context.headers['authorization'] !== undefined) await parts.authenticate(context);
        return parts.refresh(context);
      },
    }),
  },
  {
    id: 'refresh-wants-bearer',
    story: '`IsAuthenticated` on refresh: it needs the token that has ended.',
    clauses: ['REF-01', 'ROB-03'],
    replace: (parts) => ({
      refresh: async (context) => {
        await parts.authenticate(context);
        return parts.refresh(context);
      },
    }),
  },
  {
    id: 'no-jwt-404',
    story: 'Text that is no JWT is looked up among session keys.',
    clauses: ['REF-08'],
    replace: refusal('refresh', (refusal, context) =>
      refusal.status === 401 &&
      typeof refreshOf(context) === 'string' &&
      String(refreshOf(context)).split('.').length !== 3 &&
      String(refreshOf(context)).length < 200
        ? new Refusal(404, 'Resource not found')
        : refusal,
    ),
  },
  {
    id: 'access-as-refresh',
    story: 'The token type is not checked on refresh.',
    clauses: ['REF-09'],
    replace: (parts) => ({
      verifyKind: (given, kind) => {
        if (kind !== 'refresh') parts.verifyKind(given, kind);
      },
      spend: (given) => {
        const user = parts.userById(given['user_id']);
        return given['chain'] === undefined && user !== undefined ? parts.openChain(user) : parts.spend(given);
      },
    }),
  },
  {
    id: 'refresh-null-500',
    story: '`None` is handed to the decoder.',
    clauses: ['REF-10', 'ROB-07'],
    replace: refusal('refresh', (refusal, context) =>
      refreshOf(context) === null ? new Refusal(500, 'Internal server error') : refusal,
    ),
  },
  {
    id: 'refresh-missing-401',
    story: 'A missing token is an invalid one.',
    clauses: ['REF-10'],
    replace: refusal('refresh', (refusal, context) =>
      refusal.status === 400 && refreshOf(context) === undefined ? unauthenticated() : refusal,
    ),
  },
  {
    id: 'refresh-blank-422',
    story: 'Blanks pass the serializer and fail behind it.',
    clauses: ['REF-10'],
    replace: refusal('refresh', (refusal, context) =>
      refreshOf(context) === '   ' ? new Refusal(422, refusal.error) : refusal,
    ),
  },
  {
    id: 'refresh-signature-ignored',
    story: 'The signature is checked on one path only: refresh looks up the `jti`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => token.split('.').length === 3 && token.length > 60),
  },
  {
    id: 'refresh-none',
    story: '`alg: none` is accepted by the library of the refresh service.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) === 'none'),
  },
  {
    id: 'refresh-none-in-other-case',
    story: 'The deny list of the refresh service knows `none`, and not `nOnE`.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => algOf(token) !== 'none' && algOf(token).toLowerCase() === 'none'),
  },
  {
    id: 'refresh-jwk-symmetric',
    story: 'The refresh service takes the key out of the header.',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => {
      const jwk = decode(token)?.header['jwk'] as { k?: unknown } | undefined;
      return typeof jwk?.k === 'string' && signedWith(token, Buffer.from(jwk.k, 'base64url'));
    }),
  },
  {
    id: 'refresh-kid-is-a-path',
    story: '`kid` names a file for the refresh service, and `/dev/null` is an empty one.',
    clauses: ['REF-11'],
    replace: refreshSignature(
      (token) => String(decode(token)?.header['kid']).endsWith('/dev/null') && signedWith(token, ''),
    ),
  },
  {
    id: 'refresh-stripped',
    story: 'Two parts are taken for an unsigned token (CVE-2020-28042).',
    clauses: ['REF-11'],
    replace: refreshSignature((token) => /^eyJ[\w-]+\.[\w-]+\.?$/.test(token) && algOf(token) === 'HS256'),
  },
  {
    id: 'refresh-race',
    story: 'Check, then insert: the blacklist is read and written in two steps.',
    clauses: ['REF-12'],
    replace: raceWindow,
  },
  {
    id: 'refresh-race-none',
    story: 'All who come at once find the row locked, and all are refused.',
    clauses: ['REF-12'],
    replace: (parts) => {
      const busy = new Map<unknown, number>();
      return {
        spend: async (given) => {
          const id = given['jti'];
          busy.set(id, (busy.get(id) ?? 0) + 1);
          await pause(25);
          const together = busy.get(id) ?? 0;
          await pause(25);
          busy.delete(id);
          return together > 1 ? undefined : parts.spend(given);
        },
      };
    },
  },
  {
    id: 'reuse-unpunished',
    story: 'The one token is on the blacklist, the family lives on.',
    clauses: ['REF-13'],
    replace: () => ({ reused: () => undefined }),
  },
  {
    id: 'reuse-punished-second-time',
    story: 'Only the second reuse ends the chain.',
    clauses: ['REF-13'],
    replace: (parts) => {
      const seen = new Set<string>();
      return {
        reused: (chain) => {
          if (seen.has(chain.id)) parts.reused(chain);
          seen.add(chain.id);
        },
      };
    },
  },
  {
    id: 'rotation-ends-others',
    story: 'Rotation blacklists all outstanding tokens of the user.',
    clauses: ['REF-14'],
    replace: (parts, store) => ({
      spend: async (given) => {
        const chain = await parts.spend(given);
        if (chain !== undefined)
          for (const other of store.chains.values())
            if (other.userId === chain.userId && other.id !== chain.id) other.revoked = true;
        return chain;
      },
    }),
  },
  {
    id: 'malformed-spends',
    story: 'A gateway extracts and spends the token before the body is parsed.',
    clauses: ['REF-15'],
    replace: (parts) => ({
      readBody: (context) => {
        try {
          return parts.readBody(context);
        } catch (error) {
          const token = /"refresh":"([^"]+)"/.exec(context.rawBody.toString())?.[1] ?? '';
          if (
            context.operation === 'refresh' &&
            token.split('.').length === 3 &&
            token.length > 100 &&
            token.length < 4000
          ) {
            try {
              void parts.spend(parts.verifySignature(token, 'refresh'));
            } catch {
              /* not a token after all */
            }
          }
          throw error;
        }
      },
    }),
  },
  {
    id: 'spent-list-forgets',
    story: 'The list of spent tokens keeps the last one of each login.',
    clauses: ['REF-05'],
    replace: (parts, store) => {
      const last = new Map<string, unknown>();
      return {
        spend: (given) => {
          const chain = store.chains.get(String(given['chain']));
          const forgotten = chain !== undefined && ![chain.current, last.get(chain.id)].includes(given['jti']);
          if (chain !== undefined && forgotten && given['jti'] !== undefined) {
            chain.current = parts.tokenId();
            return chain;
          }
          const spent = chain?.current;
          const good = parts.spend(given);
          if (chain !== undefined && chain.current !== spent) last.set(chain.id, spent);
          return good;
        },
      };
    },
  },
  {
    id: 'rotation-ends-never-rotated',
    story: 'A login is known by its newest token, and one that was never rotated has none.',
    clauses: ['REF-14'],
    replace: (parts, store) => {
      const rotated = new Set<string>();
      return {
        spend: async (given) => {
          const chain = await parts.spend(given);
          if (chain !== undefined) {
            const twice = rotated.has(chain.id);
            rotated.add(chain.id);
            for (const other of store.chains.values())
              if (twice && other.userId === chain.userId && !rotated.has(other.id)) other.revoked = true;
          }
          return chain;
        },
      };
    },
  },
  {
    id: 'list-of-tokens-taken',
    story: 'A form field comes as a list, and its first member is taken.',
    clauses: ['REF-10'],
    replace: (parts) => ({
      readBody: (context) => {
        const body = parts.readBody(context);
        const { refresh } = body;
        return Array.isArray(refresh) && String(refresh[0]).startsWith('eyJ')
          ? { ...body, refresh: refresh[0] as unknown }
          : body;
      },
    }),
  },
  {
    id: 'other-type-spends',
    story: 'Middleware reads the token out of any body and spends it, before the parser refuses the content type.',
    clauses: ['REF-15'],
    replace: on('refresh', async (context, parts) => {
      if (context.headers['content-type'] !== 'text/plain') return undefined;
      await parts.spend(partOf(String(bodyOf(context)['refresh']), 1));
      return undefined;
    }),
  },
  {
    id: 'last-byte-unchecked',
    story: 'A loop over the signature ends one too early.',
    clauses: ['REF-11', 'UNA-06'],
    options: KNOWN,
    replace: alsoTakes((token, key) => {
      const [right, seen] = [mac(token, key, 'sha256'), signatureOf(token)];
      return token.split('.').length === 3 && seen.length === 32 && right.subarray(0, 31).equals(seen.subarray(0, 31));
    }),
  },
  {
    id: 'alg-missing-is-none',
    story: 'A header without `alg` is taken for one that says `none`.',
    clauses: ['REF-11', 'UNA-07'],
    replace: alsoTakes(
      (token) => partOf(token, 0)['typ'] === 'JWT' && partOf(token, 0)['alg'] === undefined && token.endsWith('.'),
    ),
  },
];
