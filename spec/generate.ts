/**
 * `npm run generate`: the two files of the contract → types, validators and data in `spec/generated/`.
 * `-- --check` writes nothing and fails if anything there is stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standaloneCode from 'ajv/dist/standalone/index.js';
import openapiTS, { astToString } from 'openapi-typescript';
import { format } from 'prettier';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';

const OUT = join(__dirname, 'generated');

/** A fault of what people write, and not of this program: told in one line. */
class ContractError extends Error {}

function read(name: string): unknown {
  try {
    return parse(readFileSync(join(__dirname, name), 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw new ContractError(`spec/${name}: ${error.message}`);
    throw error;
  }
}

/** What a library says of the OpenAPI document is about the document. */
function openApiFault(where: string, error: unknown): ContractError {
  return new ContractError(`spec/openapi.yaml: ${where}${error instanceof Error ? error.message : String(error)}`);
}

interface SchemaRef {
  readonly $ref?: string;
}
interface Media {
  readonly content?: Record<string, { schema?: SchemaRef }>;
  readonly $ref?: string;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: unknown[];
  readonly requestBody?: Media;
  readonly responses: Record<string, Media>;
}
interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, object>;
    readonly responses: Record<string, Media>;
    readonly examples: Record<string, { value: unknown }>;
  };
}

const Requirements = z.strictObject({
  contract: z.string(),
  reading: z.array(z.string()),
  sources: z.record(z.string(), z.strictObject({ title: z.string(), url: z.url().optional() })),
  capabilities: z.record(z.string(), z.strictObject({ meaning: z.string(), set: z.string() })),
  areas: z.record(
    z.string().regex(/^[A-Z]{3}$/),
    z.strictObject({ title: z.string(), tag: z.string().regex(/^[a-z-]+$/) }),
  ),
  clauses: z.array(
    z.strictObject({
      id: z.string().regex(/^[A-Z]{3}-\d\d$/),
      level: z.enum(['MUST', 'SHOULD', 'MAY']),
      statement: z.string().endsWith('.', 'a statement is a whole sentence'),
      source: z.string().min(1),
      needs: z.array(z.string()).default([]),
    }),
  ),
});

/** Where a fault lies, as people look for it: `REF-05 level` and not `clauses[74].level`. */
function place(path: readonly PropertyKey[], file: unknown): string {
  const [list, index, ...rest] = path;
  const clauses = (file as { clauses?: { id?: unknown }[] } | null)?.clauses;
  const id = list === 'clauses' && typeof index === 'number' ? clauses?.[index]?.id : undefined;
  return typeof id === 'string' ? [id, ...rest].map(String).join(' ') : path.map(String).join('.');
}

/** `REF` of `REF-05`. */
const areaOf = (id: string): string => id.slice(0, 3);

const RFC = /^RFC \d+(?: §\d+(?:\.\d+)*)?$/;

function requirements(): z.infer<typeof Requirements> {
  const file = read('requirements.yaml');
  const parsed = Requirements.safeParse(file);
  if (!parsed.success) {
    const told = parsed.error.issues.map(({ path, message }) => `${place(path, file)}: ${message}`);
    throw new ContractError(`spec/requirements.yaml: ${told.join('; ')}`);
  }
  const faults: string[] = [];
  const seen = new Set<string>();
  const areas = Object.keys(parsed.data.areas);
  let last = -1;
  for (const { id, source, needs } of parsed.data.clauses) {
    if (seen.has(id)) faults.push(`${id} is there twice`);
    seen.add(id);
    const area = areaOf(id);
    const position = areas.indexOf(area) * 100 + Number(id.slice(4));
    if (!areas.includes(area)) faults.push(`${id}: unknown area ${area}`);
    else if (position <= last) faults.push(`${id} is out of order`);
    last = position;
    for (const name of source.split(', ')) {
      if (!RFC.test(name) && !Object.hasOwn(parsed.data.sources, name)) {
        faults.push(`${id} names ${name}, which is not a source`);
      }
    }
    for (const name of needs.flatMap((alternatives) => alternatives.split(' | '))) {
      if (!Object.hasOwn(parsed.data.capabilities, name)) faults.push(`${id} needs ${name}, which is not a capability`);
    }
  }
  if (faults.length > 0) throw new ContractError(`spec/requirements.yaml: ${faults.join('; ')}`);
  return parsed.data;
}

function clausesFile(): string {
  const { contract, sources, capabilities, areas, clauses } = requirements();
  const json = (value: unknown): string => JSON.stringify(value);
  const ofAreas = (field: 'title' | 'tag'): Record<string, string> =>
    Object.fromEntries(
      Object.entries(areas).map(([area, { title, tag }]) => [area, field === 'title' ? title : `@${tag}`]),
    );
  return `// Generated by \`npm run generate\` from spec/requirements.yaml.

export type Level = 'MUST' | 'SHOULD' | 'MAY';
export type ClauseId = ${clauses.map(({ id }) => `'${id}'`).join(' | ')};
export type Capability = ${Object.keys(capabilities)
    .map((name) => `'${name}'`)
    .join(' | ')};

export interface Clause {
  readonly id: ClauseId;
  readonly area: string;
  readonly level: Level;
  readonly statement: string;
  readonly source: string;
  /** All of the entries must be there; of the names within one, any. */
  readonly needs: readonly (readonly Capability[])[];
}

export const CONTRACT_VERSION = ${json(contract)};

/** Area → title, in the catalogue's order. */
export const AREAS: Readonly<Record<string, string>> = ${json(ofAreas('title'))};

/** Area → its tag in Playwright, e.g. \`@refresh\`. */
export const AREA_TAGS: Readonly<Record<string, string>> = ${json(ofAreas('tag'))};

export const CAPABILITIES: Readonly<Record<Capability, { readonly meaning: string; readonly set: string }>> = ${json(capabilities)};

/** Short name → title and address. RFCs are linked by their number. */
export const SOURCES: Readonly<Record<string, { readonly title: string; readonly url?: string }>> = ${json(sources)};

export const CLAUSES: readonly Clause[] = ${json(
    clauses.map(({ id, needs, ...clause }) => ({
      id,
      area: areaOf(id),
      ...clause,
      needs: needs.map((alternatives) => alternatives.split(' | ')),
    })),
  )};

const BY_ID = new Map(CLAUSES.map((clause) => [clause.id, clause]));

/** @throws TypeError for an id that is not in the catalogue */
export function clauseById(id: ClauseId): Clause {
  const clause = BY_ID.get(id);
  if (clause === undefined) throw new TypeError(\`no clause \${id}\`);
  return clause;
}
`;
}

const nameOf = (ref: string | undefined): string | undefined => ref?.split('/').at(-1);

/**
 * The name of a body's schema.
 * @throws ContractError where it has none: its answers would silently be judged by nothing
 */
function schemaOf(where: string, media: Media | undefined): string {
  const name = nameOf(media?.content?.['application/json']?.schema?.$ref);
  if (name === undefined) throw openApiFault('', `${where} names no schema of components`);
  return name;
}

/** The schema with every reference replaced by what it refers to: the contract's request schemas are not recursive. */
function dereferenced(schema: unknown, document: OpenApi): unknown {
  if (Array.isArray(schema)) return schema.map((member) => dereferenced(member, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  const ref = nameOf((schema as SchemaRef).$ref);
  if (ref !== undefined) return dereferenced(document.components.schemas[ref], document);
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, dereferenced(member, document)]));
}

function operationsFile(document: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const answers = Object.entries(operation.responses).map(([status, response]) => {
        const target =
          response.$ref === undefined ? response : document.components.responses[nameOf(response.$ref) ?? ''];
        return [status, schemaOf(`the ${status} of ${operation.operationId}`, target)] as const;
      });
      const request =
        operation.requestBody === undefined
          ? undefined
          : schemaOf(`the body of ${operation.operationId}`, operation.requestBody);
      if (request !== undefined && document.components.examples[request] === undefined) {
        throw openApiFault(
          '',
          `the body of ${operation.operationId} has no example by the name of its schema, ${request}`,
        );
      }
      return {
        operationId: operation.operationId,
        method: method.toUpperCase(),
        path,
        summary: operation.summary,
        bearer: operation.security?.length !== 0,
        ...(request === undefined ? {} : { request }),
        answers: Object.fromEntries(answers),
      };
    }),
  );
  const requests = Object.fromEntries(
    operations.flatMap(({ operationId, request }) =>
      request === undefined ? [] : [[operationId, dereferenced(document.components.schemas[request], document)]],
    ),
  );
  const examples = Object.fromEntries(
    operations.flatMap(({ operationId, request }) =>
      request === undefined ? [] : [[operationId, document.components.examples[request]?.value]],
    ),
  );
  return `// Generated by \`npm run generate\` from spec/openapi.yaml.

export type OperationId = ${operations.map(({ operationId }) => `'${operationId}'`).join(' | ')};

/** Name of a schema, and of its validator. */
export type SchemaName = ${Object.keys(document.components.schemas)
    .map((name) => `'${name}'`)
    .join(' | ')};

export interface Operation {
  readonly operationId: OperationId;
  readonly method: string;
  /** Below the base URL, with a slash at both ends, e.g. \`/planner/keywords/{id}/\`. */
  readonly path: string;
  readonly summary: string;
  /** Whether it needs a bearer token. */
  readonly bearer: boolean;
  /** Name of the request's schema. */
  readonly request?: SchemaName;
  /** Documented status → name of the answer's schema. */
  readonly answers: Readonly<Record<string, SchemaName>>;
}

export const OPERATIONS: readonly Operation[] = ${JSON.stringify(operations)};

/** The schema of a documented answer; undefined if the operation does not document the status. */
export function answerSchema(operationId: string, status: number): SchemaName | undefined {
  return OPERATIONS.find((operation) => operation.operationId === operationId)?.answers[String(status)];
}

/** Operation → JSON Schema of its request body, references resolved. */
export const REQUEST_SCHEMAS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = ${JSON.stringify(requests)};

/** Operation → example of its request body. */
export const REQUEST_EXAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = ${JSON.stringify(examples)};
`;
}

/** A validator for each schema, compiled ahead: a worker that restarts loads them in milliseconds. */
function validatorFiles(document: OpenApi): { js: string; dts: string } {
  // Strict but for what OpenAPI's way of writing needs; an unknown keyword or format stops the generation.
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    ownProperties: true,
    code: { source: true },
  });
  addFormats(ajv);
  // Those of ajv-formats also take `urn:uuid:`, and a date and time with a blank between them or half an offset.
  ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
  ajv.addFormat(
    'date-time',
    /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  );
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'openapi', components: { schemas: document.components.schemas } });
  const names = Object.keys(document.components.schemas);
  for (const name of names) {
    try {
      ajv.getSchema(`openapi#/components/schemas/${name}`);
    } catch (error) {
      throw openApiFault(`schema ${name}: `, error);
    }
  }
  const code = standaloneCode(
    ajv,
    Object.fromEntries(names.map((name) => [name, `openapi#/components/schemas/${name}`])),
  );
  const header = '// Generated by `npm run generate` from spec/openapi.yaml.\n';
  return {
    js: `${header}${code}\n`,
    dts: `${header}import type { ValidateFunction } from 'ajv';
import type { components } from './openapi.js';

${names.map((name) => `export const ${name}: ValidateFunction<components['schemas']['${name}']>;`).join('\n')}
`,
  };
}

async function generate(): Promise<Record<string, string>> {
  const document = read('openapi.yaml') as OpenApi;
  const validators = validatorFiles(document);
  const types = await openapiTS(pathToFileURL(join(__dirname, 'openapi.yaml')), { silent: true }).catch(
    (error: unknown) => {
      throw openApiFault('', error);
    },
  );
  const pretty = (code: string): Promise<string> =>
    format(code, { parser: 'typescript', printWidth: 120, singleQuote: true });
  return {
    'clauses.ts': await pretty(clausesFile()),
    'operations.ts': await pretty(operationsFile(document)),
    'openapi.d.ts': await pretty(`// Generated by \`npm run generate\` from spec/openapi.yaml.\n${astToString(types)}`),
    'validators.js': validators.js,
    'validators.d.ts': await pretty(validators.dts),
  };
}

function current(name: string): string | undefined {
  try {
    return readFileSync(join(OUT, name), 'utf8');
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const stale = Object.entries(await generate()).filter(([name, content]) => current(name) !== content);
  if (process.argv.includes('--check')) {
    if (stale.length > 0) {
      throw new ContractError(
        `${stale.map(([name]) => `spec/generated/${name}`).join(', ')}: stale, so run \`npm run generate\` and commit what it writes.`,
      );
    }
  } else {
    mkdirSync(OUT, { recursive: true });
    for (const [name, content] of stale) writeFileSync(join(OUT, name), content);
    console.log(
      stale.length === 0 ? 'spec/generated is up to date.' : `wrote ${stale.map(([name]) => name).join(', ')}`,
    );
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof ContractError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});
