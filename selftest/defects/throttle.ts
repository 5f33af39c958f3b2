/** Faults of rate limits (THR). */
import type { Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import { headersWith } from './helpers.js';

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
    id: 'throttled-503',
    story: 'The proxy sheds load with its own status.',
    clauses: ['THR-02', 'THR-03'],
    replace: () => ({ present: (answer) => (answer.status === 429 ? { ...answer, status: 503 } : answer) }),
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
];
