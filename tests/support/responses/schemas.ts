/**
 * Whose question a place in a body is. ENV-08 has what is left of the documented schemas, and does not pass on a response that breaks
 * one.
 */
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import type { Observation, SchemaFault } from '../../../fixtures/evidence/observation.js';
import type { ClauseId } from '../../../spec/generated/clauses.js';
import { answerSchema } from '../../../spec/generated/operations.js';

const TOKENS: Readonly<Record<string, ClauseId>> = { register: 'REG-03', login: 'LOG-01', refresh: 'REF-01' };

const isJson = (contentType = ''): boolean => /^application\/json\s*(;|$)/i.test(contentType);

const isRegister = ({ operationId }: Observation): boolean => operationId === 'register';

/** The clause that owns a place instead of ENV-08; undefined: ENV-08's own. */
type OwnerOf = (observation: Observation, fault: SchemaFault) => ClauseId | undefined;

function ownership({ target }: Check, documented: readonly Observation[]): OwnerOf {
  const ofUser = target.dialect.points.find(({ point }) => point === 'user from login')?.owner;
  // REG-12 asks register: what is wrong with `errors` of all operations shows there too.
  const ofErrors = documented.some(
    (one) => isRegister(one) && one.schemaFaults.some(({ path }) => path.startsWith('/errors')),
  )
    ? 'REG-12'
    : undefined;
  return ({ operationId = '', status }, { path, message }) => {
    const error = status >= 400;
    const session = TOKENS[operationId];
    if (path === '' || path === '/') return error ? 'ENV-03' : 'ENV-01';
    if (path === '/success') return error ? 'ENV-03' : 'ENV-01';
    if (path === '/request_id') return message !== 'is missing' ? 'RID-03' : error ? 'RID-02' : 'RID-01';
    if (path === '/error') return 'ENV-04';
    if (path === '/errors' || path.startsWith('/errors/')) return ofErrors;
    if (path === '/data') return session === undefined ? undefined : 'ENV-02';
    if (/^\/data\/(access|refresh)$/.test(path)) return session;
    // One server has its users in one place: where login has them elsewhere, that is not told a second time of register.
    if (path === '/data/user' && (operationId === 'login' || operationId === 'register'))
      return operationId === 'login' ? (ofUser ?? 'LOG-02') : ofUser === 'LOG-02' ? ofUser : undefined;
    if (path.startsWith('/data/user/') && operationId === 'login') return 'LOG-02';
    return /^\/data\/user\/(email|username)$/.test(path) && operationId === 'register' ? 'REG-02' : undefined;
  };
}

/** The clause about a response that is not an envelope at all, and what it is; undefined if it is one. */
function noEnvelope({ json, success, status, contentType }: Observation): readonly [ClauseId, string] | undefined {
  if (json === 'none' && !isJson(contentType)) return ['ENV-07', 'is not JSON'];
  if (json !== 'object' || typeof success !== 'boolean')
    return [status < 400 ? 'ENV-01' : 'ENV-03', 'is not an envelope of the guide'];
  return success === status < 400 ? undefined : ['ENV-05', `has \`success: ${String(success)}\``];
}

/** Its faults against the schema; of a list, which may be in either of two envelopes, those against the one that it has. */
const faultsOf = ({ schemaFaults, topMembers }: Observation): readonly SchemaFault[] =>
  schemaFaults.filter(({ path }) => path !== '/data' || !topMembers.includes('results'));

const inWords = (faults: readonly SchemaFault[]): string =>
  faults.map(({ path, message }) => `\`${path}\` ${message}`).join(', ');

const hasSchema = ({ hasBody, operationId, status }: Observation): boolean =>
  hasBody && operationId !== undefined && answerSchema(operationId, status) !== undefined;

/** The responses for which the OpenAPI document has a schema. */
export const documentedAnswers = (seen: readonly Observation[]): readonly Observation[] => seen.filter(hasSchema);

/** The faults of each response against its schema that are ENV-08's own, as a phrase. */
export function schemaFaultsOf(
  check: Check,
  documented: readonly Observation[],
): (observation: Observation) => string | undefined {
  const ownerOf = ownership(check, documented);
  return (observation) => {
    if (noEnvelope(observation) !== undefined) return undefined;
    const own = faultsOf(observation).filter((fault) => ownerOf(observation, fault) === undefined);
    return own.length === 0 ? undefined : inWords(own);
  };
}

/** @throws Blocked by the clause that has most of what is wrong, where the schemas are broken in places that other clauses speak of */
export function dependsOnOwners(check: Check, documented: readonly Observation[]): void {
  const ownerOf = ownership(check, documented);
  const broken = documented.flatMap((one) => {
    const envelope = noEnvelope(one);
    if (envelope !== undefined) return [{ one, owner: envelope[0], what: envelope[1] }];
    const [fault] = faultsOf(one);
    const owner = fault === undefined ? undefined : ownerOf(one, fault);
    return fault === undefined || owner === undefined ? [] : [{ one, owner, what: inWords([fault]) }];
  });
  if (broken.length === 0) return;
  const of = (owner: ClauseId): number => broken.filter((each) => each.owner === owner).length;
  const most = broken.reduce((best, each) => (of(each.owner) > of(best.owner) ? each : best));
  const { method, path } = most.one.exchange.request;
  throw new Blocked(
    most.owner,
    `${String(broken.length)} of ${String(documented.length)} documented responses are not as their ` +
      `schema has them: ${method} ${path.split('?')[0] ?? ''} → ${String(most.one.status)}: ${most.what}`,
    most.one.exchange,
  );
}
