/** What shows on the guide's client's way only. */
import { randomUUID } from 'node:crypto';
import { decode } from '../../fixtures/evidence/jwt.js';
import { Refusal, type User } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { sessions } from './credentials.js';
import type { Defect } from './defect.js';
import { asNumber, textOf, times } from './helpers.js';

function sessionCookie(headers: Readonly<Record<string, string | undefined>>): string {
  return /(?:^|;\s*)sessionid=([^;]+)/.exec(headers['cookie'] ?? '')?.[1] ?? '';
}

export const JOURNEYS: readonly Defect[] = [
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
    id: 'csrf-with-cookie',
    story: '`SessionAuthentication` comes first: with the cookie of login every write wants a CSRF token.',
    // The cookie alone gets that far too: it authenticates.
    clauses: ['JRN-08', 'UNA-11'],
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
    id: 'cookie-owns-new-rows',
    story:
      "Login sets a session cookie, and the creation's default for `user` is request._request.user, of the session.",
    clauses: ['JRN-08'],
    replace: (parts) => {
      const sessions = new Map<string, User>();
      return {
        login: async (context) => {
          const outcome = await parts.login(context);
          const user = parts.findUser(textOf(parts.readBody(context)['email']));
          const id = randomUUID();
          if (user !== undefined) sessions.set(id, user);
          return { ...outcome, headers: { 'Set-Cookie': `sessionid=${id}; Path=/; HttpOnly; SameSite=Lax` } };
        },
        writer: async (context) => {
          const user = await parts.writer(context);
          return (
            (context.operation === 'createKeyword' ? sessions.get(sessionCookie(context.headers)) : undefined) ?? user
          );
        },
      };
    },
  },
  {
    id: 'cookie-decides-writes',
    story: 'The tenant of a write comes from the session that login’s cookie opened.',
    clauses: ['JRN-08'],
    replace: sessions((parts, userOf) => ({
      writer: async (context) => {
        const user = await parts.writer(context);
        return userOf(context) ?? user;
      },
    })),
  },
  {
    id: 'cookie-decides-one-row',
    story: 'Single rows are looked up for the session’s user.',
    clauses: ['JRN-08'],
    replace: sessions((parts, userOf) => ({
      namedKeyword: (context, user) =>
        parts.namedKeyword(context, (context.method === 'GET' ? userOf(context) : undefined) ?? user),
    })),
  },
  {
    id: 'csrf-at-changes',
    story: 'PATCH and DELETE want a CSRF token as soon as there is a session cookie.',
    clauses: ['JRN-08'],
    replace: sessions((parts, userOf) => ({
      writer: async (context) => {
        const user = await parts.writer(context);
        if (['PATCH', 'DELETE'].includes(context.method) && userOf(context) !== undefined)
          throw new Refusal(403, 'CSRF Failed: CSRF token missing.');
        return user;
      },
    })),
  },
  {
    id: 'cookie-decides-refresh',
    story: 'Refresh makes its tokens for the session’s user.',
    clauses: ['JRN-08'],
    replace: sessions((parts, userOf) => ({
      refresh: async (context) => {
        const outcome = await parts.refresh(context);
        const user = userOf(context);
        return user === undefined
          ? outcome
          : { status: 200, data: parts.issue(user, parts.openChain(user), 'refresh') };
      },
    })),
  },
  {
    id: 'csrf-after-refresh',
    story: 'Refresh opens a session as well; a client that keeps its cookie needs a CSRF token for every later write.',
    clauses: ['JRN-08'],
    replace: (parts) => {
      const opened = new Set<string>();
      return {
        present: (answer, context) => {
          if (context.operation !== 'refresh' || answer.status !== 200) return parts.present(answer, context);
          const id = randomUUID();
          opened.add(id);
          const headers = { ...answer.headers, 'Set-Cookie': `sessionid=${id}; Path=/; HttpOnly` };
          return parts.present({ ...answer, headers }, context);
        },
        writer: async (context) => {
          const user = await parts.writer(context);
          if (opened.has(sessionCookie(context.headers))) throw new Refusal(403, 'CSRF Failed: CSRF token missing.');
          return user;
        },
      };
    },
  },
  {
    id: 'double-post-filter-keeps-the-401',
    story:
      'The filter against double posts stands before authentication: the same body gets the same 401 for ten seconds.',
    clauses: ['JRN-04'],
    replace: (parts) => {
      const refused = new Map<string, number>();
      return {
        createKeyword: async (context) => {
          const key = context.rawBody.toString('base64');
          if ((refused.get(key) ?? 0) > parts.clock()) throw unauthenticated('Invalid or expired token');
          try {
            return await parts.createKeyword(context);
          } catch (error) {
            if (error instanceof Refusal && error.status === 401 && key !== '')
              refused.set(key, parts.clock() + 10_000);
            throw error;
          }
        },
      };
    },
  },
];
