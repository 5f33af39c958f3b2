/** Rate limits of other makes. */
import { headersFor } from '../defects/helpers.js';
import type { Variant } from './variant.js';

/** A limit on logins that counts in windows of its own. @param inWindow which of its window the nth login of a burst is */
function counting(inWindow: (logins: number) => number): NonNullable<Variant['replace']> {
  return (parts) => {
    let logins = 0;
    return {
      throttle: (context) => {
        const throttle = parts.throttle(context);
        if (throttle.limit > 1000) {
          logins = 0;
          return throttle;
        }
        const count = inWindow((logins += 1));
        return { ...throttle, remaining: Math.max(0, throttle.limit - count), refused: count > throttle.limit };
      },
    };
  };
}

export const LIMITS: readonly Variant[] = [
  {
    id: 'window-turns',
    words: 'THR-02: past the limit. A fixed window may end in the middle of a burst, and count anew.',
    replace: counting((logins) => (logins > 6 ? logins - 6 : logins)),
  },
  {
    id: 'window-too-short',
    words: 'THR-02: past the limit. Logins may be too slow to pass it within one window.',
    replace: counting((logins) => 1 + (logins % 5)),
    // Nobody is refused, so there is nothing to judge.
    unverified: ['THR-02', 'THR-04'],
  },
  {
    id: 'limit-beyond-a-burst',
    words: 'THR-02: past the limit. How high that is, nobody says.',
    // A run sends fewer logins than this limit allows.
    unverified: ['THR-02', 'THR-04'],
    replace: (parts) => {
      let count = 0;
      return {
        throttle: (context) => ({
          ...parts.throttle(context),
          limit: 100_000,
          remaining: 100_000 - (count += 1),
          refused: false,
        }),
      };
    },
  },
  {
    id: 'retry-after-a-date',
    words: 'THR-02: `Retry-After`, a number of seconds or a date (RFC 9110 §10.2.3).',
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        const seconds = shown.headers['Retry-After'];
        if (seconds === undefined) return shown;
        const at = new Date(parts.clock() + Number(seconds) * 1000 + 999).toUTCString();
        return { ...shown, headers: { ...shown.headers, 'Retry-After': at } };
      },
    }),
  },
  {
    id: 'standard-limits-beside',
    words: 'THR-01 names its own headers; the draft standard’s may stand beside them.',
    replace: headersFor(({ throttle }) =>
      throttle === undefined
        ? {}
        : {
            'RateLimit-Policy': `"default";q=${String(throttle.limit)};w=60`,
            RateLimit: `"default";r=${String(throttle.remaining)};t=${String(throttle.remaining % 60)}`,
            'RateLimit-Limit': String(throttle.limit),
            'RateLimit-Remaining': String(throttle.remaining),
            'RateLimit-Reset': String(throttle.remaining % 60),
            'X-RateLimit-Limit': String(throttle.limit),
            'X-RateLimit-Remaining': String(throttle.remaining),
            'X-RateLimit-Used': String(throttle.limit - throttle.remaining),
          },
    ),
  },
];
