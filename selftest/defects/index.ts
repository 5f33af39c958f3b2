import { CHANNEL } from './channel.js';
import { CONSTANT_SERVERS } from './constant-servers.js';
import type { Defect } from './defect.js';
import { DOCUMENTATION } from './documentation.js';
import { ENVELOPE } from './envelope.js';
import { EXPIRY } from './expiry.js';
import { FORBIDDEN_ROLES } from './forbidden-roles.js';
import { FORBIDDEN_TENANTS } from './forbidden-tenants.js';
import { FRONTS } from './fronts.js';
import { JOURNEYS } from './journeys.js';
import { JOURNEYS_WORKERS } from './journeys-workers.js';
import { LOGIN_CREDENTIALS } from './login-credentials.js';
import { LOGIN_RESPONSES } from './login-responses.js';
import { REFRESH_REQUESTS } from './refresh-requests.js';
import { REFRESH_REUSE } from './refresh-reuse.js';
import { REFRESH_ROTATION } from './refresh-rotation.js';
import { REGISTER_ACCOUNTS } from './register-accounts.js';
import { REGISTER_REQUESTS } from './register-requests.js';
import { REQUEST_ID } from './request-id.js';
import { ROBUSTNESS_BODIES } from './robustness-bodies.js';
import { ROBUSTNESS_VALUES } from './robustness-values.js';
import { THROTTLE } from './throttle.js';
import { TOKEN } from './token.js';
import { UNAUTHENTICATED_CHANNELS } from './unauthenticated-channels.js';
import { UNAUTHENTICATED_FORGERIES } from './unauthenticated-forgeries.js';
import { UNAUTHENTICATED_ROUTES } from './unauthenticated-routes.js';
import { UNAUTHENTICATED_USERS } from './unauthenticated-users.js';

/** Every defect, by the area of the clause that it is for. */
export const DEFECTS: readonly Defect[] = [
  ...ENVELOPE,
  ...REQUEST_ID,
  ...REGISTER_REQUESTS,
  ...REGISTER_ACCOUNTS,
  ...LOGIN_CREDENTIALS,
  ...LOGIN_RESPONSES,
  ...TOKEN,
  ...EXPIRY,
  ...REFRESH_ROTATION,
  ...REFRESH_REUSE,
  ...REFRESH_REQUESTS,
  ...UNAUTHENTICATED_ROUTES,
  ...UNAUTHENTICATED_CHANNELS,
  ...UNAUTHENTICATED_FORGERIES,
  ...UNAUTHENTICATED_USERS,
  ...FORBIDDEN_ROLES,
  ...FORBIDDEN_TENANTS,
  ...ROBUSTNESS_BODIES,
  ...ROBUSTNESS_VALUES,
  ...FRONTS,
  ...THROTTLE,
  ...JOURNEYS,
  ...JOURNEYS_WORKERS,
  ...DOCUMENTATION,
  ...CHANNEL,
  ...CONSTANT_SERVERS,
];
