/** What a clause about every response picks from those that the run saw. */
import { Blocked, Unverified } from '../../../fixtures/check/check.js';
import type { Observation } from '../../../fixtures/evidence/observation.js';

/** A UUID as RFC 9562 §4 writes it: 8-4-4-4-12 hexadecimal digits. */
export const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isJson({ contentType }: Observation): boolean {
  return /^application\/json\s*(;|$)/i.test(contentType ?? '');
}

export function some(observations: readonly Observation[], what: string): readonly Observation[] {
  if (observations.length === 0) throw new Unverified(`No ${what} was seen in this run.`);
  return observations;
}

export const successes = (seen: readonly Observation[]): readonly Observation[] =>
  some(
    seen.filter((answer) => answer.hasBody && answer.status >= 200 && answer.status < 300 && isJson(answer)),
    'success with a body in JSON',
  );

export const errors = (seen: readonly Observation[]): readonly Observation[] =>
  some(
    seen.filter((answer) => answer.hasBody && answer.status >= 400 && isJson(answer)),
    'error with a body in JSON',
  );

/** @throws Blocked by the clause that says why no envelope was seen */
export function envelopesAmong(
  seen: readonly Observation[],
  of: (answer: Observation) => boolean,
): readonly Observation[] {
  const found = seen.filter((answer) => answer.hasBody && of(answer));
  if (found.length > 0) return found;
  const inJson = some(
    seen.filter((answer) => answer.hasBody && isJson(answer)),
    'response with a body in JSON',
  );
  const contrary = inJson.find(({ success }) => typeof success === 'boolean');
  const success = inJson.find(({ status }) => status < 300);
  const by = contrary !== undefined ? 'ENV-05' : success !== undefined ? 'ENV-01' : 'ENV-03';
  throw new Blocked(by, 'no response is an envelope of the guide', (contrary ?? success ?? inJson[0])?.exchange);
}

export function noEnvelope({ json, success }: Observation): string | undefined {
  if (json === 'none') return 'the body is not JSON';
  if (json === 'other') return 'the body is JSON, but not an object';
  if (success === 'absent') return '`success` is missing';
  return success === 'not a boolean' ? '`success` is not a boolean' : undefined;
}

/** Envelopes: what is not a JSON object has no place for an id, and ENV judges that. */
export function envelopes(
  seen: readonly Observation[],
  what: string,
  of: (answer: Observation) => boolean,
): readonly Observation[] {
  const found = seen.filter((answer) => answer.hasBody && answer.json === 'object' && of(answer));
  if (found.length === 0) throw new Unverified(`No ${what} was seen in this run.`);
  return found;
}

/** Responses with an id that can be judged. @throws Blocked by the clause that says that there is none */
export function ids(
  seen: readonly Observation[],
  what: string,
  of: (answer: Observation) => boolean,
): readonly Observation[] {
  const some = seen.filter((answer) => answer.hasBody && answer.json === 'object' && of(answer));
  if (some.length > 0) return some;
  const all = envelopes(seen, 'response in a JSON object', () => true);
  const has = all.find(({ hasRequestId }) => hasRequestId);
  if (has !== undefined) throw new Blocked('RID-03', `no ${what} was seen`, has.exchange);
  const success = all.find(({ status }) => status < 300);
  throw new Blocked(success === undefined ? 'RID-02' : 'RID-01', 'no response has a `request_id`', success?.exchange);
}
