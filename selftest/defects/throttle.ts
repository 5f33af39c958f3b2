/** Limits that are missing, miscounted or escaped. */
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { bodyOf, headersWith, parsed } from './helpers.js';

/** Clients are told apart by a header, of every request or of some. */
const clientBy =
  (header: string, when: (context: Context) => boolean = () => true) =>
  (parts: Parts): Partial<Parts> => ({
    clientOf: (context) => (when(context) ? context.headers[header] : undefined) ?? parts.clientOf(context),
  });

export const THROTTLE: readonly Defect[] = [
  {
    id: 'throttle-headers-missing',
    story: 'The throttle adds its headers only where it runs.',
    clauses: ['THR-01'],
    replace: headersWith((headers, _, status) => {
      if (status >= 400) delete headers['X-Throttle-Remaining'];
    }),
  },
  {
    id: 'throttle-more-left-than-limit',
    story: 'Each worker has its own counter; this one began anew.',
    clauses: ['THR-01'],
    replace: headersWith((headers, { operation }) => {
      if (operation === 'refresh') headers['X-Throttle-Remaining'] = String(Number(headers['X-Throttle-Limit']) + 1);
    }),
  },
  {
    id: 'throttle-reset-in-milliseconds',
    story: '`Date.now()` was taken for Unix time.',
    clauses: ['THR-01'],
    replace: headersWith((headers) => {
      headers['X-Throttle-Reset'] = String(Number(headers['X-Throttle-Reset']) * 1000);
    }),
  },
  {
    id: 'no-throttle-headers-on-body-errors',
    story: 'The headers are written when a response is finalized; what the parser refuses never comes there.',
    clauses: ['THR-01'],
    replace: (parts) => ({
      headers: (context, status) => {
        const headers = parts.headers(context, status);
        const malformed = context.rawBody.length > 0 && parsed(context.rawBody.toString()) === undefined;
        if (status !== 415 && !(status === 400 && malformed)) return headers;
        return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('X-Throttle-')));
      },
    }),
  },
  {
    id: 'no-throttle-headers-on-register-errors',
    story: 'Sign-up raises before the mixin of the limit adds its headers.',
    clauses: ['THR-01'],
    replace: (parts) => ({
      headers: (context, status) => {
        const headers = parts.headers(context, status);
        if (context.operation !== 'register' || status < 400 || bodyOf(context)['email'] !== undefined) return headers;
        return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('X-Throttle-')));
      },
    }),
  },
  {
    id: 'never-throttled',
    story: 'Throttling is bypassed, and nobody counts wrong passwords.',
    clauses: ['THR-02', 'THR-03'],
    replace: (parts) => ({
      throttle: (context) => ({ ...parts.throttle(context), refused: false }),
      lockedFor: () => 0,
    }),
  },
  {
    id: 'retry-after-missing',
    story: 'The 429 does not say when to come back.',
    clauses: ['THR-02'],
    replace: headersWith((headers, _, status) => {
      if (status === 429) delete headers['Retry-After'];
    }),
  },
  {
    id: 'register-retry-after-missing',
    story: 'Register has a throttle of its own, which says 429 and nothing about when.',
    clauses: ['THR-02'],
    replace: headersWith((headers, { operation }, status) => {
      if (operation === 'register' && status === 429) delete headers['Retry-After'];
    }),
  },
  {
    id: 'throttled-503',
    story: 'The proxy sheds load with its own status.',
    clauses: ['THR-02', 'THR-03'],
    replace: () => ({ present: (answer) => (answer.status === 429 ? { ...answer, status: 503 } : answer) }),
  },
  {
    id: 'register-without-limit',
    story: 'The scope was set on the view of login, and forgotten on that of sign-up.',
    clauses: ['THR-02'],
    replace: (parts) => ({
      throttle: (context) => {
        const state = parts.throttle(context);
        return context.operation === 'register'
          ? { ...state, remaining: Math.max(state.remaining, 1), refused: false }
          : state;
      },
    }),
  },
  {
    id: 'locked-for-good',
    story: 'The lock is never lifted: anybody can lock anybody out.',
    clauses: ['THR-03'],
    replace: (parts) => {
      const locked = new Set<string>();
      return {
        lockedFor: (email) => {
          if (parts.lockedFor(email) > 0) locked.add(parts.emailKey(email));
          return locked.has(parts.emailKey(email)) ? 1 : 0;
        },
      };
    },
  },
  ...['x-forwarded-for', 'forwarded', 'x-real-ip'].map((name) => ({
    id: `limit-by-${name}`,
    story: `\`${name}\` is believed, whoever sends it (DRF without \`NUM_PROXIES\`).`,
    clauses: ['THR-04' as const],
    replace: (parts: Parts): Partial<Parts> => ({
      clientOf: (context) => context.headers[name] ?? parts.clientOf(context),
    }),
  })),
  {
    id: 'lock-by-exact-email',
    story: 'Failed logins are counted by the e-mail as it was sent.',
    clauses: ['THR-04'],
    replace: (parts) => {
      // The owner's own spelling is left as it is; another one has a counter of its own.
      const exact = (email: string): string => (email === email.toUpperCase() ? `${email}.upper` : email);
      return {
        lockedFor: (email) => parts.lockedFor(exact(email)),
        failedLogin: (email) => {
          parts.failedLogin(exact(email));
        },
      };
    },
  },
  {
    id: 'register-limit-by-forwarded-for',
    story: 'The limit of sign-up has its own way to tell clients apart, which trusts X-Forwarded-For.',
    clauses: ['THR-04'],
    replace: clientBy('x-forwarded-for', ({ operation }) => operation === 'register'),
  },
  {
    id: 'register-limit-by-real-ip',
    story: 'The same, by X-Real-IP.',
    clauses: ['THR-04'],
    replace: clientBy('x-real-ip', ({ operation }) => operation === 'register'),
  },
  {
    id: 'limit-by-cloudflare-header',
    story: 'The address is read from CF-Connecting-IP, and the origin is open to everybody.',
    clauses: ['THR-04'],
    replace: clientBy('cf-connecting-ip'),
  },
  {
    id: 'limit-by-true-client-ip',
    story: 'The middleware of a router tries True-Client-IP first.',
    clauses: ['THR-04'],
    replace: clientBy('true-client-ip'),
  },
  {
    id: 'limit-by-client-ip',
    story: 'A library for addresses tries X-Client-IP first.',
    clauses: ['THR-04'],
    replace: clientBy('x-client-ip'),
  },
  {
    id: 'lock-by-first-letter',
    story: 'Failures are counted by the e-mail with its first letter as typed.',
    clauses: ['THR-04'],
    replace: (parts) => {
      // The key is what a phone’s keyboard changes.
      const failures = new Map<string, number>();
      const keyOf = (email: string): string => email.slice(0, 1) + email.slice(1).toLowerCase();
      return {
        failedLogin: (email) => {
          failures.set(keyOf(email), (failures.get(keyOf(email)) ?? 0) + 1);
          parts.failedLogin(email);
        },
        lockedFor: (email) => ((failures.get(keyOf(email)) ?? 0) === 0 ? 0 : parts.lockedFor(email)),
      };
    },
  },
  {
    id: 'two-hops-are-believed',
    story:
      'NUM_PROXIES counts from a CDN that is no longer there: with two addresses in the header, the first is the client.',
    clauses: ['THR-04'],
    replace: (parts) => ({
      clientOf: (context) => {
        const hops = (context.headers['x-forwarded-for'] ?? '').split(',').map((hop) => hop.trim());
        return hops.length > 1 && hops[0] !== undefined ? hops[0] : parts.clientOf(context);
      },
    }),
  },
  {
    id: 'public-addresses-are-believed',
    story:
      'The first public address of `X-Forwarded-For` is the client; private and documentation addresses are passed over.',
    clauses: ['THR-04'],
    replace: (parts) => ({
      clientOf: (context) =>
        (context.headers['x-forwarded-for'] ?? '')
          .split(',')
          .map((address) => address.trim())
          .find((address) => address !== '' && !/^(10|127|172|192|198|203)\./.test(address)) ?? parts.clientOf(context),
    }),
  },
  {
    id: 'capitals-never-locked',
    story: 'The counter of a lock is read in small letters; a failure for an e-mail in capitals is counted elsewhere.',
    clauses: ['THR-04'],
    replace: (parts) => {
      const failures = new Map<string, { count: number; last: number }>();
      const of = (email: string): { count: number; last: number } => {
        const known = failures.get(email.toLowerCase());
        return known === undefined || parts.clock() - known.last > 60_000 ? { count: 0, last: 0 } : known;
      };
      return {
        failedLogin: (email) => {
          if (email === email.toUpperCase()) return;
          failures.set(email.toLowerCase(), { count: of(email).count + 1, last: parts.clock() });
        },
        lockedFor: (email) => {
          const { count, last } = of(email);
          return count < 5 ? 0 : Math.max(1, Math.ceil((last + 60_000 - parts.clock()) / 1000));
        },
      };
    },
  },
];
