/**
 * The OpenAPI document that the target serves, held against the contract. A contradiction is what would make a client written by it fail
 * against the contract, or the other way round; what it leaves out (drf-spectacular documents successes only) or adds is none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS, type Operation } from '../../../spec/generated/operations.js';
import { Finding, Findings, Unverified, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { nestedDeeply, parseJson } from '../../../fixtures/evidence/json.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import { parseYaml } from '../../../fixtures/run/yaml.js';
import { maskText } from '../../../fixtures/evidence/secrets.js';

type Json = Record<string, unknown>;

export interface Comparison {
  readonly contradictions: readonly string[];
  readonly additions: readonly string[];
  /** Operations that are the contract's and not the guide's, and not documented there. */
  readonly leftOut: readonly string[];
}

const nameOf = ({ method, path }: Pick<Operation, 'method' | 'path'>): string => `${method} ${path}`;

/** What the guide itself documents; the contract's other operations are there for its clauses, and a document may leave them out. */
const OF_THE_GUIDE = new Map(OPERATIONS.filter(({ ofTheGuide }) => ofTheGuide).map((one) => [nameOf(one), one]));

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Parts of an `allOf`, and levels of them, that are followed. */
const ALL_OF = { parts: 10, levels: 3 };

/** Follows local references, and no more than a few: a served document may go in circles. */
function resolved(value: unknown, document: Json, level = 0): Json {
  let current = object(value);
  for (let hops = 0; typeof current['$ref'] === 'string' && hops < 10; hops += 1) {
    let target: unknown = document;
    for (const part of current['$ref'].replace(/^#\//, '').split('/')) {
      target = object(target)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    }
    current = object(target);
  }
  // drf-spectacular wraps a reference in `allOf` to put a description next to it.
  const { allOf } = current;
  if (Array.isArray(allOf) && level < ALL_OF.levels) {
    const all = allOf.slice(0, ALL_OF.parts).map((part) => resolved(part, document, level + 1));
    return {
      ...current,
      ...Object.assign({}, ...all),
      properties: Object.assign(
        {},
        ...all.map((part) => object(part['properties'])),
        object(current['properties']),
      ) as Json,
    } as Json;
  }
  return current;
}

/** The types that a schema allows, `null` aside: `nullable` of OpenAPI 3.0 and type lists of 3.1 say the same. */
function typesOf(schema: Json): Set<string> {
  const type = schema['type'];
  const types = new Set(Array.isArray(type) ? type.map(String) : typeof type === 'string' ? [type] : []);
  if (types.size === 0 && 'const' in schema) types.add(typeof schema['const']);
  if (types.size === 0 && 'properties' in schema) types.add('object');
  types.delete('null');
  if (types.has('number')) types.add('integer');
  return types;
}

/** Everything in front of the first path segment that the contract knows: `/api/v1`, or nothing. */
function below(path: string): string {
  return path.replace(/^.*?(?=\/(auth|planner)\/)/, '').replace(/\{[^}]+\}/g, '{}');
}

function operationsOf(document: Json): Map<string, Json> {
  const found = new Map<string, Json>();
  for (const [path, item] of Object.entries(object(document['paths']))) {
    for (const [method, operation] of Object.entries(object(item))) {
      if (METHODS.includes(method)) found.set(`${method.toUpperCase()} ${below(path)}`, object(operation));
    }
  }
  return found;
}

function jsonSchema(holder: unknown, document: Json): Json | undefined {
  const content = object(resolved(holder, document)['content']);
  const media = content['application/json'];
  return media === undefined ? undefined : resolved(object(media)['schema'], document);
}

/** True if a request needs credentials: its own `security`, or the document's. */
function needsCredentials(operation: Json, document: Json): boolean {
  const security = Array.isArray(operation['security']) ? operation['security'] : document['security'];
  // An empty requirement among others makes them optional.
  return (
    Array.isArray(security) && security.length > 0 && !security.some((entry) => Object.keys(object(entry)).length === 0)
  );
}

/** True if one of the ways in is a header that can carry a bearer token. */
function takesBearer(operation: Json, document: Json): boolean {
  const security = Array.isArray(operation['security']) ? operation['security'] : document['security'];
  const schemes = object(object(document['components'])['securitySchemes']);
  return (Array.isArray(security) ? security : [])
    .flatMap((entry) => Object.keys(object(entry)))
    .some((name) => {
      const scheme = resolved(schemes[name], document);
      const header = scheme['in'] === 'header' && String(scheme['name']).toLowerCase() === 'authorization';
      const bearer = scheme['type'] === 'http' && String(scheme['scheme']).toLowerCase() === 'bearer';
      return bearer || header || ['oauth2', 'openIdConnect'].includes(String(scheme['type']));
    });
}

/** The properties of a schema in one direction: what is `readOnly` is in no request, what is `writeOnly` in no response (OpenAPI 3.1). */
function membersOf(schema: Json, document: Json, direction: 'request' | 'answer'): Json {
  const absent = direction === 'request' ? 'readOnly' : 'writeOnly';
  return Object.fromEntries(
    Object.entries(object(schema['properties'])).filter(([, member]) => resolved(member, document)[absent] !== true),
  );
}

/** Schemas compared property by property, as deep as the contract goes. */
function compareSchemas(
  where: string,
  ours: Json,
  theirs: Json,
  us: Json,
  them: Json,
  contradictions: string[],
  additions: string[],
  direction: 'request' | 'answer',
): void {
  if (Array.isArray(ours['anyOf']) || Array.isArray(theirs['anyOf'])) {
    // Of several forms the two that come nearest to each other.
    const forms = (schema: Json, document: Json): Json[] =>
      Array.isArray(schema['anyOf']) ? schema['anyOf'].map((form) => resolved(form, document)) : [schema];
    const tries = forms(ours, us).flatMap((mine) =>
      forms(theirs, them).map((other) => {
        const found = { contradictions: [] as string[], additions: [] as string[] };
        compareSchemas(where, mine, other, us, them, found.contradictions, found.additions, direction);
        return found;
      }),
    );
    const [nearest] = tries.sort((a, b) => a.contradictions.length - b.contradictions.length);
    contradictions.push(...(nearest?.contradictions ?? []));
    additions.push(...(nearest?.additions ?? []));
    return;
  }
  const [ourTypes, theirTypes] = [typesOf(ours), typesOf(theirs)];
  if (ourTypes.size > 0 && theirTypes.size > 0 && ![...ourTypes].some((type) => theirTypes.has(type))) {
    contradictions.push(`${where} is ${[...theirTypes].join(' or ')}, in the contract ${[...ourTypes].join(' or ')}`);
    return;
  }
  const ourMembers = object(ours['properties']);
  const theirMembers = membersOf(theirs, them, direction);
  // A document that leaves the form of an object open contradicts nothing about its properties.
  if (Object.keys(object(theirs['properties'])).length === 0) return;
  const ourRequired = Array.isArray(ours['required']) ? ours['required'].map(String) : [];
  const theirRequired = Array.isArray(theirs['required']) ? theirs['required'].map(String) : [];
  for (const [name, member] of Object.entries(ourMembers)) {
    if (!Object.hasOwn(theirMembers, name)) {
      // What a client need not get, or a server may do without, is no loss.
      if (ourRequired.includes(name) && !['first_name', 'last_name'].includes(name))
        contradictions.push(`${where} has no \`${name}\``);
      continue;
    }
    compareSchemas(
      `${where}.${name}`,
      resolved(member, us),
      resolved(theirMembers[name], them),
      us,
      them,
      contradictions,
      additions,
      direction,
    );
  }
  for (const name of Object.keys(theirMembers)) {
    if (Object.hasOwn(ourMembers, name)) continue;
    if (direction === 'request' && theirRequired.includes(name)) {
      contradictions.push(`${where} asks for \`${name}\`, which the contract does not know`);
    } else additions.push(`${where}.${name}`);
  }
}

/** Compares a served document with the contract's. Both as parsed; neither is changed. */
export function compareDocuments(contract: Json, served: Json): Comparison {
  const contradictions: string[] = [];
  const additions: string[] = [];
  const leftOut: string[] = [];
  const theirs = operationsOf(served);
  const ours = operationsOf(contract);
  for (const [name, operation] of ours) {
    const other = theirs.get(name);
    if (other === undefined) {
      const documented = OF_THE_GUIDE.get(name);
      if (documented === undefined) {
        leftOut.push(name);
        continue;
      }
      const { method, aliases } = documented;
      const places = [documented.path, ...aliases].map((path) => nameOf({ method, path }).replace(/\/$/, ''));
      const drifted = [...theirs.keys()].find((key) => places.includes(key.replace(/\/$/, '')));
      contradictions.push(`${name} is missing${drifted === undefined ? '' : `; ${drifted} may be its new path`}`);
      continue;
    }
    const ownCredentials = name === 'POST /auth/refresh/';
    if (needsCredentials(operation, contract) && !needsCredentials(other, served)) {
      contradictions.push(`${name} needs no token; in the contract it needs a bearer token`);
    }
    if (needsCredentials(operation, contract) && needsCredentials(other, served) && !takesBearer(other, served)) {
      contradictions.push(`${name} takes other credentials; in the contract a bearer token`);
    }
    if (!needsCredentials(operation, contract) && needsCredentials(other, served) && !ownCredentials) {
      contradictions.push(`${name} needs credentials; in the contract it needs none`);
    }
    const [ourBody, theirBody] = [operation['requestBody'], other['requestBody']];
    if (ourBody !== undefined && theirBody !== undefined) {
      const [a, b] = [jsonSchema(ourBody, contract), jsonSchema(theirBody, served)];
      if (a !== undefined && b === undefined) contradictions.push(`${name} does not take application/json`);
      if (a !== undefined && b !== undefined)
        compareSchemas(`request of ${name}`, a, b, contract, served, contradictions, additions, 'request');
    }
    const theirAnswers = object(other['responses']);
    const ourAnswers = object(operation['responses']);
    const successes = Object.keys(ourAnswers).filter((status) => status.startsWith('2'));
    const theirSuccesses = Object.keys(theirAnswers).filter((status) => status.startsWith('2'));
    if (theirSuccesses.length > 0 && !theirSuccesses.some((status) => successes.includes(status) || status === '2XX')) {
      contradictions.push(
        `${name} succeeds with ${theirSuccesses.join(', ')}; in the contract with ${successes.join(' or ')}`,
      );
    }
    for (const status of Object.keys(theirAnswers)) {
      const ourAnswer = ourAnswers[status];
      if (ourAnswer === undefined) {
        additions.push(`${name} → ${status}`);
        continue;
      }
      const [a, b] = [jsonSchema(ourAnswer, contract), jsonSchema(theirAnswers[status], served)];
      if (a !== undefined && b !== undefined)
        compareSchemas(`${status} of ${name}`, a, b, contract, served, contradictions, additions, 'answer');
    }
  }
  const pathOf = (name: string): string => name.replace(/^\S+ /, '');
  const guarded = [...ours].filter(([, one]) => needsCredentials(one, contract)).map(([name]) => pathOf(name));
  for (const [name, operation] of theirs) {
    if (ours.has(name)) continue;
    additions.push(name);
    if (guarded.includes(pathOf(name)) && !needsCredentials(operation, served))
      contradictions.push(`${name} needs no token; in the contract whatever is at this path needs a bearer token`);
  }
  return { contradictions: [...new Set(contradictions)], additions: [...new Set(additions)], leftOut };
}

let contractDocument: Json | undefined;

export function contract(): Json {
  contractDocument ??= parseYaml(readFileSync(join(__dirname, '../../../spec/openapi.yaml'), 'utf8')) as Json;
  return contractDocument;
}

/** An OpenAPI document as text, JSON or YAML; undefined if it is none. */
export function readDocument(text: string): Json | undefined {
  try {
    // JSON is YAML too, but read a hundred times faster as what it is. What is no OpenAPI document need not be read as YAML at all.
    const json = text.trimStart().startsWith('{');
    if (!json && (!/^["']?openapi["']?\s{0,20}:/m.test(text) || nestedDeeply(text))) return undefined;
    const document = object(json ? parseJson(text) : parseYaml(text, { maxAliasCount: 50 }));
    return typeof document['openapi'] === 'string' && 'paths' in document ? document : undefined;
  } catch {
    return undefined;
  }
}

async function fetchDocument(check: Check): Promise<{ document: Json; reply: Reply }> {
  const docs = new URL(check.target.docsUrl);
  const page = await check.raw({ method: 'GET', path: docs.href, headers: [['accept', 'text/html,application/json']] });
  const named = /(?:["']?url["']?\s*:\s*|spec-url=|data-url=)["']([^"']+)["']/.exec(page.text)?.[1];
  const places = [named, '../../schema', '../../schema/?format=json', '/api/schema/'].filter(
    (place) => place !== undefined,
  );
  let last = page;
  for (const place of new Set(places.map((name) => new URL(name, docs)))) {
    // The document is the target's: nobody else is asked for it.
    if (place.origin !== docs.origin) continue;
    last = await check.raw({
      method: 'GET',
      path: place.href,
      headers: [
        ['accept', 'application/vnd.oai.openapi+json, application/json;q=0.9, application/yaml;q=0.8, */*;q=0.5'],
      ],
    });
    if (last.status === 401 || last.status === 403) {
      const { access } = await check.session();
      last = await check.raw({ method: 'GET', path: place.href, headers: [['authorization', `Bearer ${access}`]] });
    }
    const document = last.status === 200 ? readDocument(last.text) : undefined;
    if (document !== undefined) return { document, reply: last };
  }
  throw new Finding(
    `no OpenAPI document at /api/schema/ or where the documentation page points: ${seenStatus(last)}`,
    last.exchange,
  );
}

/** The document that the target serves, read once per process; undefined if there is none. */
export function servedDocument(check: Check): Promise<Json | undefined> {
  return check.memo('served document', async () => {
    if (new URL(check.target.docsUrl).origin !== new URL(check.target.baseUrl).origin) return undefined;
    try {
      return (await fetchDocument(check)).document;
    } catch (error) {
      if (error instanceof Finding || error instanceof NoAnswer) return undefined;
      throw error;
    }
  });
}

/** Additions shown; all are counted. */
const SHOWN_ADDITIONS = 12;

/** DOC-02. */
export async function judgeServedSchema(check: Check): Promise<void> {
  if (new URL(check.target.docsUrl).origin !== new URL(check.target.baseUrl).origin) {
    throw new Unverified('IGNY8_DOCS_URL is on another host than BASE_URL, and nothing is asked there.');
  }
  const { document, reply } = await fetchDocument(check);
  const { contradictions, additions, leftOut } = compareDocuments(contract(), document);
  if (leftOut.length > 0) check.measure('not documented there', leftOut.join(', '));
  if (additions.length > 0) {
    const more = additions.length > SHOWN_ADDITIONS ? `, … (${String(additions.length)})` : '';
    check.measure('beyond the contract', maskText(additions.slice(0, SHOWN_ADDITIONS).join(', ') + more));
  }
  if (contradictions.length === 0) return;
  throw new Findings(
    contradictions.map((message, i) => ({
      message: maskText(message),
      ...(i === 0 ? { exchange: reply.exchange } : {}),
    })),
    contradictions.length,
  );
}
