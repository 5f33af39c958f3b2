import { ACCOUNTS } from './accounts.js';
import { DOCUMENTATION } from './documentation.js';
import { FRONTS } from './fronts.js';
import { GATEWAYS } from './gateways.js';
import { GIVEN_LESS } from './given-less.js';
import { IDS } from './ids.js';
import { LIMITS } from './limits.js';
import { LISTS } from './lists.js';
import { LOCKS } from './locks.js';
import { RESPONSES } from './responses.js';
import { SESSIONS } from './sessions.js';
import { STATUSES } from './statuses.js';
import { TOKENS } from './tokens.js';
import type { Variant } from './variant.js';

export type { Variant } from './variant.js';

/** Every variant, by subject. */
export const VARIANTS: readonly Variant[] = [
  ...RESPONSES,
  ...GATEWAYS,
  ...FRONTS,
  ...STATUSES,
  ...ACCOUNTS,
  ...IDS,
  ...LOCKS,
  ...SESSIONS,
  ...TOKENS,
  ...LISTS,
  ...LIMITS,
  ...DOCUMENTATION,
  ...GIVEN_LESS,
];
