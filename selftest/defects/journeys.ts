/** Faults of what the documented client relies on (JRN). */
import { decode } from '../../fixtures/evidence/jwt.js';
import { Refusal } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { Defect } from './defect.js';
import { asNumber, times } from './helpers.js';

export const JOURNEYS: readonly Defect[] = [
  {
    id: 'old-session-ends',
    story: 'The session store forgets after five minutes, whatever the token says.',
    clauses: ['JRN-06'],
    replace: (parts) =>
      times(['access'], (given, now) => {
        parts.verifyTimes(given, 'access');
        return asNumber(given['iat']) + 300 > now || asNumber(given['exp']) - asNumber(given['iat']) !== 900;
      })(parts),
  },
  {
    id: 'login-locked-after-reuse',
    story: 'Reuse locks the account, not only the chain: the user cannot log in again.',
    clauses: ['JRN-03'],
    replace: (parts) => {
      let locked = 0;
      return {
        reused: (chain) => {
          parts.reused(chain);
          locked += 1;
        },
        login: (context) => {
          if (locked > 0) {
            locked = 0;
            throw new Refusal(403, 'Account locked');
          }
          return parts.login(context);
        },
      };
    },
  },
  {
    id: 'bad-bearer-ends-session',
    story: 'A spoiled bearer token is taken for theft, and the sessions of the user named in it are ended.',
    clauses: ['JRN-04'],
    replace: (parts, store) => ({
      verifySignature: (token, kind) => {
        try {
          return parts.verifySignature(token, kind);
        } catch (error) {
          const user = kind === 'access' ? decode(token)?.claims['user_id'] : undefined;
          for (const chain of store.chains.values()) if (chain.userId === user) chain.revoked = true;
          throw error;
        }
      },
    }),
  },
  {
    id: 'expired-bearer-ends-session',
    story: 'Who comes with an expired token is logged out everywhere: weeks of random logouts.',
    clauses: ['JRN-02'],
    replace: (parts, store) => ({
      verifyTimes: (given, kind) => {
        try {
          parts.verifyTimes(given, kind);
        } catch (error) {
          if (kind === 'access')
            for (const chain of store.chains.values()) if (chain.userId === given['user_id']) chain.revoked = true;
          throw error;
        }
      },
    }),
  },
  {
    id: 'late-use-ends-session',
    story: 'A token used in its last minute closes the sliding session.',
    clauses: ['JRN-05'],
    replace: (parts, store) => ({
      authenticate: async (context) => {
        const user = await parts.authenticate(context);
        if (asNumber(context.claims?.['exp']) - parts.clock() / 1000 < 61)
          for (const chain of store.chains.values()) if (chain.userId === user.id) chain.revoked = true;
        return user;
      },
    }),
  },
  {
    id: 'login-needs-a-plan',
    story: '403 right after login: the list asks for a plan that this account does not have.',
    clauses: ['JRN-01'],
    replace: (parts) => ({
      listKeywords: async (context) => {
        await parts.authenticate(context);
        throw new Refusal(403, 'Permission denied');
      },
    }),
  },
  {
    id: 'worker-without-the-key',
    story: 'One of several workers still has the old signing key: now and then a good token is refused.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      let token = '';
      let inARow = 0;
      return {
        authenticate: (context) => {
          const asked = parts.bearer(context);
          inARow = asked === token && context.operation === 'listKeywords' ? inARow + 1 : 0;
          token = asked;
          // Elsewhere no token is presented as often in a row.
          if (inARow >= 15) throw unauthenticated('Invalid or expired token');
          return parts.authenticate(context);
        },
      };
    },
  },
  {
    id: 'csrf-with-cookie',
    story: '`SessionAuthentication` comes first: with the cookie of login every write wants a CSRF token.',
    clauses: ['JRN-08'],
    replace: (parts) => ({
      present: (answer, context) =>
        parts.present(
          context.operation === 'login' && answer.status === 200
            ? { ...answer, headers: { ...answer.headers, 'Set-Cookie': 'sessionid=k3yb0ard-c0nf0rmance; Path=/' } }
            : answer,
          context,
        ),
      createKeyword: (context) => {
        if (context.headers['cookie']?.includes('sessionid=') === true)
          throw new Refusal(403, 'CSRF verification failed');
        return parts.createKeyword(context);
      },
    }),
  },
  {
    id: 'item-now-and-then-404',
    story: 'One of the replicas that the detail view reads from lags behind for good.',
    clauses: ['JRN-07'],
    replace: (parts) => {
      let inARow = 0;
      return {
        listKeywords: (context) => {
          inARow = 0;
          return parts.listKeywords(context);
        },
        getKeyword: async (context) => {
          const outcome = await parts.getKeyword(context);
          inARow += 1;
          if (inARow % 7 === 0) throw new Refusal(404, 'Resource not found');
          return outcome;
        },
      };
    },
  },
  {
    id: 'long-chain-ends',
    story: 'A chain of refreshes is kept in a column of limited width: the seventh rotation of a login is refused.',
    clauses: ['REF-07', 'JRN-07'],
    replace: (parts) => {
      const rotations = new Map<string, number>();
      return {
        spend: (given) => {
          const chain = String(given['chain']);
          const count = (rotations.get(chain) ?? 0) + 1;
          rotations.set(chain, count);
          return count > 8 ? undefined : parts.spend(given);
        },
      };
    },
  },
];
