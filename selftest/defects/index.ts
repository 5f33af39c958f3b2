import { MORE_OF_ACCOUNTS } from './accounts-more.js';
import { ACCESS_MORE } from './access-more.js';
import { CHANNEL } from './channel.js';
import { CONSTANT_SERVERS } from './constant-servers.js';
import { CREDENTIALS } from './credentials.js';
import type { Defect } from './defect.js';
import { DOCUMENTATION } from './documentation.js';
import { ENVELOPE } from './envelope.js';
import { EXPIRY } from './expiry.js';
import { FORBIDDEN } from './forbidden.js';
import { INPUT_MORE } from './input-more.js';
import { FRONTS } from './fronts.js';
import { JOURNEYS } from './journeys.js';
import { MORE_OF_LIMITS } from './limits-more.js';
import { LOGIN } from './login.js';
import { REFRESH } from './refresh.js';
import { REGISTER } from './register.js';
import { REQUEST_ID } from './request-id.js';
import { ROBUSTNESS } from './robustness.js';
import { THROTTLE } from './throttle.js';
import { TOKEN } from './token.js';
import { MORE_OF_TOKENS } from './tokens-more.js';
import { UNAUTHENTICATED } from './unauthenticated.js';
import { UNSEEN_ACCESS } from './unseen-access.js';
import { UNSEEN_ACCOUNTS } from './unseen-accounts.js';
import { UNSEEN_TOKENS } from './unseen-tokens.js';
import { WORKERS } from './workers.js';

/** Every defect, by the area of the clause that it is for. */
export const DEFECTS: readonly Defect[] = [
  ...ENVELOPE,
  ...REQUEST_ID,
  ...REGISTER,
  ...LOGIN,
  ...MORE_OF_ACCOUNTS,
  ...TOKEN,
  ...EXPIRY,
  ...REFRESH,
  ...MORE_OF_TOKENS,
  ...UNAUTHENTICATED,
  ...CREDENTIALS,
  ...FORBIDDEN,
  ...ROBUSTNESS,
  ...FRONTS,
  ...THROTTLE,
  ...MORE_OF_LIMITS,
  ...JOURNEYS,
  ...WORKERS,
  ...DOCUMENTATION,
  ...CHANNEL,
  ...UNSEEN_ACCOUNTS,
  ...UNSEEN_TOKENS,
  ...UNSEEN_ACCESS,
  ...ACCESS_MORE,
  ...INPUT_MORE,
  ...CONSTANT_SERVERS,
];
