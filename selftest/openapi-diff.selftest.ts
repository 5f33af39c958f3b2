import { expect, test } from '@playwright/test';
import { stringify } from 'yaml';
import { compareDocuments, contract, readDocument } from '../tests/support/responses/openapi-diff.js';

type Json = Record<string, unknown>;

/** Path of a part of a document: its names in their order, since names may hold dots and slashes. */
type Place = readonly string[];

/** The object at `place`, of which a part is to be changed. @throws Error if the contract has none there */
function at(document: Json, place: Place): Json {
  return place.reduce<Json>((part, name) => {
    const next = part[name];
    if (typeof next !== 'object' || next === null) throw new Error(`the contract has no ${place.join(' → ')}`);
    return next as Json;
  }, document);
}

const set =
  (place: Place, name: string, value: unknown) =>
  (document: Json): void => {
    at(document, place)[name] = value;
  };

const remove =
  (place: Place, name: string) =>
  (document: Json): void => {
    if (!Reflect.has(at(document, place), name)) throw new Error(`${name} is not there to be removed`);
    Reflect.deleteProperty(at(document, place), name);
  };

const rename =
  (place: Place, name: string, other: string) =>
  (document: Json): void => {
    set(place, other, at(document, place)[name])(document);
    remove(place, name)(document);
  };

const schema = (name: string): Place => ['components', 'schemas', name];
const operation = (path: string, method: string): Place => ['paths', path, method];
const copy = (): Json => structuredClone(contract());

/** `lines`: what is said of it, all of it. `alone`: it takes away the place of another one. */
const SEEDED: readonly { name: string; change: (document: Json) => void; lines: readonly RegExp[]; alone?: true }[] = [
  {
    name: 'path drifted',
    change: rename(['paths'], '/auth/refresh/', '/auth/token/refresh/'),
    lines: [/POST \/auth\/refresh\/ is missing; POST \/auth\/token\/refresh\/ may be its new path/],
    alone: true,
  },
  {
    name: 'method missing',
    change: remove(['paths', '/auth/register/'], 'post'),
    lines: [/POST \/auth\/register\/ is missing/],
    alone: true,
  },
  {
    name: 'list open to all',
    change: set(operation('/planner/keywords/', 'get'), 'security', []),
    lines: [/GET \/planner\/keywords\/ needs no token/],
  },
  {
    name: 'login needs credentials',
    change: set(operation('/auth/login/', 'post'), 'security', [{ bearer: [] }]),
    lines: [/POST \/auth\/login\/ needs credentials/],
  },
  {
    name: 'refresh without rotation',
    change: set([...schema('TokenPair'), 'properties', 'refresh'], 'writeOnly', true),
    lines: [/has no `refresh`/],
  },
  {
    name: 'login without password',
    change: remove([...schema('LoginRequest'), 'properties'], 'password'),
    lines: [/request of POST \/auth\/login\/ has no `password`/],
  },
  {
    name: 'register asks for more',
    change: (document) => {
      set([...schema('RegisterRequest'), 'properties'], 'country', { type: 'string' })(document);
      (at(document, schema('RegisterRequest'))['required'] as string[]).push('country');
    },
    lines: [/request of POST \/auth\/register\/ asks for `country`/],
  },
  {
    name: 'access called otherwise',
    change: rename([...schema('TokenPair'), 'properties'], 'access', 'access_token'),
    lines: [/200 of POST \/auth\/refresh\/.data has no `access`/],
  },
  {
    name: 'user id a text',
    change: set([...schema('User'), 'properties'], 'id', { type: 'string' }),
    lines: ['200 of POST /auth/register/', '201 of POST /auth/register/', '200 of POST /auth/login/'].map(
      (response) => new RegExp(`^${response}.*user\.id is string, in the contract integer`),
    ),
  },
  {
    name: 'keyword read answers 202',
    change: rename([...operation('/planner/keywords/{id}/', 'get'), 'responses'], '200', '202'),
    lines: [/GET \/planner\/keywords\/\{\}\/ succeeds with 202/],
  },
  {
    name: 'list without results',
    change: (document) => {
      const { results: _, ...properties } = at(document, [...schema('KeywordPage'), 'properties']);
      const page = at(document, schema('KeywordPage'));
      set(['components', 'schemas'], 'KeywordListAnswer', { ...page, properties })(document);
    },
    lines: [/200 of GET \/planner\/keywords\/ has no `results`/],
  },
];

for (const { name, change, lines } of SEEDED) {
  test(`a seeded contradiction is listed, and nothing else: ${name}`, () => {
    const document = copy();
    change(document);
    const { contradictions } = compareDocuments(contract(), document);
    expect(contradictions).toEqual(lines.map((line) => expect.stringMatching(line)));
  });
}

test('many contradictions at once: all are listed', () => {
  const document = copy();
  const together = SEEDED.filter(({ alone }) => alone !== true);
  for (const { change } of together) change(document);
  const { contradictions } = compareDocuments(contract(), document);
  for (const { name, lines } of together)
    for (const line of lines)
      expect(contradictions, name).toEqual(expect.arrayContaining([expect.stringMatching(line)]));
});

test('the contract does not contradict itself: as YAML, under /api/v1, in the manner of 3.0', () => {
  expect(compareDocuments(contract(), copy())).toEqual({ contradictions: [], additions: [], leftOut: [] });
  const served = readDocument(stringify(contract()));
  expect(compareDocuments(contract(), served ?? {}).contradictions).toEqual([]);
  const older = copy();
  older['openapi'] = '3.0.3';
  older['paths'] = Object.fromEntries(
    Object.entries(at(older, ['paths'])).map(([path, item]) => [`/api/v1${path}`, item]),
  );
  set([...schema('Keyword'), 'properties'], 'site_id', { type: 'integer', nullable: true })(older);
  set([...schema('User'), 'properties'], 'account', {
    allOf: [{ $ref: '#/components/schemas/Account' }],
    readOnly: true,
  })(older);
  set([...schema('User'), 'properties'], 'avatar', { type: 'string' })(older);
  // One serializer for both directions, as drf-spectacular has it by default.
  set([...schema('LoginRequest'), 'properties'], 'access', { type: 'string', readOnly: true })(older);
  set(schema('LoginRequest'), 'required', ['email', 'password', 'access'])(older);
  expect(compareDocuments(contract(), older).contradictions).toEqual([]);
});

test('what documents nothing but successes, or is no document, is told apart', () => {
  const successes = copy();
  for (const [path, item] of Object.entries(at(successes, ['paths']))) {
    for (const method of Object.keys(item as Json)) {
      const place = [...operation(path, method), 'responses'];
      for (const status of Object.keys(at(successes, place)))
        if (!status.startsWith('2')) remove(place, status)(successes);
    }
  }
  expect(compareDocuments(contract(), successes).contradictions).toEqual([]);
  for (const text of ['', '<html>', '{"detail":"no"}', 'a: [', '&a [*a]']) expect(readDocument(text)).toBeUndefined();
});
