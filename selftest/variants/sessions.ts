/** Servers that are right a moment later, or that let a user be in one place at a time. */
import { losersOfARace } from '../defects/helpers.js';
import { Refusal, type Chain, type Keyword, type Parts, type Store } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Variant } from './variant.js';

/** Milliseconds that the replica is behind. */
const BEHIND_MS = 700;

/** Keywords are read where they arrive `behind` milliseconds late, and written where they are. */
const replica =
  (behind: number) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    // What the replica shows until the write has come through, oldest first.
    const past: { until: number; rows: readonly Keyword[] }[] = [];
    const writing = (write: (keyword: Keyword) => void) => (keyword: Keyword) => {
      past.push({ until: parts.clock() + behind, rows: [...store.keywords] });
      write(keyword);
    };
    const rows = (): readonly Keyword[] => {
      const now = parts.clock();
      while (past[0] !== undefined && past[0].until <= now) past.shift();
      return past[0]?.rows ?? store.keywords;
    };
    return {
      insertKeyword: writing(parts.insertKeyword),
      storeKeyword: writing(parts.storeKeyword),
      removeKeyword: writing(parts.removeKeyword),
      keywordsOf: (user, site) =>
        rows().filter((row) => parts.maySee(user, row, {}) && (site === undefined || row.siteId === site)),
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        const row = rows().find(({ id }) => String(id) === context.parameters['id']);
        if (row === undefined) throw new Refusal(404, 'Resource not found');
        if (!parts.maySee(user, row, context.claims ?? {})) throw parts.hidden();
        return { status: 200, data: { id: row.id, keyword: row.keyword, site_id: row.siteId } };
      },
    };
  };

/** A login ends the older chains of its user beyond `most` of them, and their access tokens where `access` says so. */
const atMost =
  (most: number, access: boolean) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const open = new Map<number, Chain[]>();
    return {
      openChain: (user) => {
        const chain = parts.openChain(user);
        const chains = [...(open.get(user.id) ?? []), chain];
        for (const old of chains.slice(0, -most)) old.revoked = true;
        open.set(user.id, chains.slice(-most));
        return chain;
      },
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), chain: chain.id }),
      verifyKind: (given, kind) => {
        parts.verifyKind(given, kind);
        if (access && kind === 'access' && store.chains.get(String(given['chain']))?.revoked === true)
          throw unauthenticated('Invalid or expired token');
      },
    };
  };

export const SESSIONS: readonly Variant[] = [
  {
    id: 'replica-behind',
    words: 'That a read sees the last write at once, nobody says: here it comes 700 ms late.',
    replace: replica(BEHIND_MS),
  },
  {
    id: 'replica-far-behind',
    words: 'That a read sees the last write at once, nobody says: here it comes three seconds late.',
    replace: replica(3000),
  },
  {
    id: 'one-session',
    words: 'A new login ends the older ones: no clause forbids it, and every check then has an account of its own.',
    replace: atMost(1, true),
    // Of two logins one is over.
    unverified: ['REF-14'],
  },
  {
    id: 'one-session-tokens-live-on',
    words: 'A new login ends the older ones; whether their access tokens live on is not judged.',
    replace: atMost(1, false),
    unverified: ['REF-14'],
  },
  {
    id: 'three-sessions',
    words: 'A fourth login ends the first: no clause says how many there may be.',
    replace: atMost(3, true),
  },
  {
    id: 'refresh-under-way-is-409',
    words:
      'REF-12: of simultaneous uses of one token the losers are refused, and with which 4xx nobody says: here with 409.',
    replace: losersOfARace(new Refusal(409, 'Refresh in progress')),
  },
];
