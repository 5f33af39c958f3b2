/** Defects of limits beside the obvious: other headers, another endpoint, another spelling. */
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import { bodyOf, parsed } from './helpers.js';
import type { Defect } from './defect.js';

/** Clients are told apart by a header, of every request or of some. */
const clientBy =
  (header: string, when: (context: Context) => boolean = () => true) =>
  (parts: Parts): Partial<Parts> => ({
    clientOf: (context) => (when(context) ? context.headers[header] : undefined) ?? parts.clientOf(context),
  });

export const MORE_OF_LIMITS: readonly Defect[] = [
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
];
