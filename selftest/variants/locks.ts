/** Wrong passwords that lock: how often, for whom, for how long and with which status the contract leaves open (THR-03: 429 or a lock). */
import { Refusal, type Context, type Outcome, type Parts } from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { bodyOf } from '../defects/helpers.js';
import type { Variant } from './variant.js';

interface Lock {
  /** Wrong passwords after which it locks. */
  readonly after: number;
  /** Seconds that it lasts, from the last wrong password on. */
  readonly seconds: number;
  /** What is locked. */
  readonly of: (context: Context) => string;
  readonly says: (seconds: number) => Refusal;
  /** Whether an e-mail that nobody has is counted as well. */
  readonly nobody?: boolean;
}

const emailOf = (context: Context): string => String(bodyOf(context)['email']).toLowerCase();
const tooMany = (seconds: number): Refusal =>
  new Refusal(429, 'Too many failed logins', undefined, { 'Retry-After': String(seconds) });

const locking =
  ({ after, seconds, of, says, nobody = true }: Lock) =>
  (parts: Parts): Partial<Parts> => {
    const failures = new Map<string, { count: number; last: number }>();
    return {
      // The model's own lock is not the one that is looked at here.
      lockedFor: () => 0,
      login: async (context): Promise<Outcome> => {
        const key = of(context);
        const now = parts.clock();
        const failed = failures.get(key) ?? { count: 0, last: now };
        const left = Math.ceil((failed.last + seconds * 1000 - now) / 1000);
        if (failed.count >= after && left > 0) throw says(left);
        if (left <= 0) failed.count = 0;
        try {
          const outcome = await parts.login(context);
          failures.delete(key);
          return outcome;
        } catch (error) {
          const counts = nobody || parts.findUser(String(bodyOf(context)['email'])) !== undefined;
          if (error instanceof Refusal && error.status === 401 && counts)
            failures.set(key, { count: failed.count + 1, last: now });
          throw error;
        }
      },
    };
  };

const WORDS = 'THR-03: many wrong passwords are slowed down, by 429 or a lock, and the owner gets in again later: ';
const lock = (id: string, what: string, given: Lock, more: Partial<Variant> = {}): Variant => ({
  id,
  words: WORDS + what,
  replace: locking(given),
  // It lasts longer than the check waits.
  ...(given.seconds > 180 ? { unverified: ['THR-03'] } : {}),
  ...more,
});

export const LOCKS: readonly Variant[] = [
  lock('lock-after-3', 'three lock the e-mail for a quarter of an hour.', {
    after: 3,
    seconds: 900,
    of: emailOf,
    says: tooMany,
  }),
  lock('lock-after-5', 'five lock the e-mail for a quarter of an hour.', {
    after: 5,
    seconds: 900,
    of: emailOf,
    says: tooMany,
  }),
  lock('lock-after-3-for-a-day', 'three lock the e-mail for a day.', {
    after: 3,
    seconds: 86_400,
    of: emailOf,
    says: tooMany,
  }),
  lock(
    'lock-address-after-5',
    'five from one address lock it for a minute, whoever comes from there.',
    { after: 5, seconds: 60, of: ({ client }) => client, says: tooMany },
    // The run waits for the end of the lock, in minutes of real time.
    { unverified: ['LOG-08'], long: true },
  ),
  lock('lock-pair-after-5', 'five lock the pair of address and e-mail.', {
    after: 5,
    seconds: 600,
    of: (context) => `${context.client} ${emailOf(context)}`,
    says: tooMany,
  }),
  lock('lock-says-403', 'the lock is said with 403, as django-axes does it.', {
    after: 3,
    seconds: 900,
    of: emailOf,
    says: (seconds) => new Refusal(403, `Account locked for ${String(seconds)} seconds`),
  }),
  lock(
    'lock-says-401',
    'the lock is not said at all: the right password is answered like a wrong one, until it ends.',
    {
      after: 3,
      seconds: 900,
      of: emailOf,
      says: () => unauthenticated('Invalid credentials'),
    },
  ),
  lock('lock-says-400', 'the lock is said with 400, as Django’s forms do it.', {
    after: 5,
    seconds: 900,
    of: emailOf,
    says: () => new Refusal(400, 'Too many failed login attempts. Try again later.'),
  }),
  lock('lock-known-only', 'three lock an e-mail that somebody has.', {
    after: 3,
    seconds: 900,
    of: emailOf,
    says: tooMany,
    nobody: false,
  }),
];
