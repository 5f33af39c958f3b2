/**
 * The defects with which each drift is crossed: three of each area, spread over its list, none that needs a browser or a server of its own.
 * They are named, and not chosen by a rule, so that what is pinned for them stays what it is when further defects are written.
 */
import { DEFECTS } from '../defects/index.js';
import type { Defect } from '../defects/defect.js';

const IDS = `
  list-bare not-found-with-200 next-missing id-missing-in-list id-urn id-of-minute register-asks-for-more
  duplicate-overwrites errors-first-only login-201 unknown-email-500 login-reads-bearer refresh-opaque
  exp-in-milliseconds weak-key iat-behind access-ends-early exp-optional refresh-nested-unwrapped
  refresh-wants-bearer refresh-race missing-403 jwk-symmetric refresh-token-of-refresh-as-bearer viewer-writes
  site-not-asked write-names-account malformed-500 surrogate-500 names-composed throttle-headers-missing
  never-throttled limit-by-x-forwarded-for old-session-ends login-needs-a-plan workers-own-keys
  schema-drifted-path schema-open-route schema-missing cors-reflects sniffable cors-at-login
`;

export const SAMPLE: readonly Defect[] = IDS.trim()
  .split(/\s+/)
  .map((id) => {
    const defect = DEFECTS.find((one) => one.id === id);
    if (defect === undefined) throw new Error(`${id} is no defect.`);
    return defect;
  });
