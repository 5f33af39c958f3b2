import { expect, test } from '@playwright/test';
import { stringify } from 'yaml';
import { compareDocuments, contract, readDocument } from '../tests/support/openapi-diff.js';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-dynamic-delete, @typescript-eslint/no-unnecessary-type-assertion -- documents are changed by hand here */
type Document = any;

const copy = (): Document => structuredClone(contract());

const SEEDED: readonly { name: string; change: (document: Document) => void; says: RegExp }[] = [
  {
    name: 'path drifted',
    change: (d) => {
      d.paths['/auth/token/refresh/'] = d.paths['/auth/refresh/'];
      delete d.paths['/auth/refresh/'];
    },
    says: /POST \/auth\/refresh\/ is missing; POST \/auth\/token\/refresh\/ looks like/,
  },
  {
    name: 'method missing',
    change: (d) => {
      delete d.paths['/auth/register/'].post;
    },
    says: /POST \/auth\/register\/ is missing/,
  },
  {
    name: 'list open to all',
    change: (d) => {
      d.paths['/planner/keywords/'].get.security = [];
    },
    says: /GET \/planner\/keywords\/ is open to everybody/,
  },
  {
    name: 'login needs credentials',
    change: (d) => {
      d.paths['/auth/login/'].post.security = [{ bearer: [] }];
    },
    says: /POST \/auth\/login\/ needs credentials/,
  },
  {
    name: 'login without password',
    change: (d) => {
      delete d.components.schemas.LoginRequest.properties.password;
    },
    says: /request of POST \/auth\/login\/ has no `password`/,
  },
  {
    name: 'register asks for more',
    change: (d) => {
      d.components.schemas.RegisterRequest.properties.country = { type: 'string' };
      d.components.schemas.RegisterRequest.required.push('country');
    },
    says: /request of POST \/auth\/register\/ asks for `country`/,
  },
  {
    name: 'access called otherwise',
    change: (d) => {
      const { properties } = d.components.schemas.TokenPair;
      properties.access_token = properties.access;
      delete properties.access;
    },
    says: /200 of POST \/auth\/refresh\/.data has no `access`/,
  },
  {
    name: 'user id a text',
    change: (d) => {
      d.components.schemas.User.properties.id = { type: 'string' };
    },
    says: /user\.id is string, in the contract integer/,
  },
  {
    name: 'keyword read answers 202',
    change: (d) => {
      const { responses } = d.paths['/planner/keywords/{id}/'].get;
      responses['202'] = responses['200'];
      delete responses['200'];
    },
    says: /GET \/planner\/keywords\/\{\}\/ succeeds with 202/,
  },
  {
    name: 'list without results',
    change: (d) => {
      const { results: _, ...properties } = d.components.schemas.KeywordPage.properties;
      d.components.schemas.KeywordListAnswer = { ...d.components.schemas.KeywordPage, properties };
    },
    says: /200 of GET \/planner\/keywords\/ has no `results`/,
  },
];

test('ten seeded contradictions: all ten are listed, and nothing else', () => {
  for (const { name, change, says } of SEEDED) {
    const document = copy();
    change(document);
    const { contradictions } = compareDocuments(contract(), document);
    expect(contradictions.length, name).toBeGreaterThan(0);
    for (const line of contradictions)
      expect(line, name).toMatch(says.source.includes('user') ? /user\.id is string/ : says);
  }
  const all = copy();
  for (const { name, change } of SEEDED) if (!['path drifted', 'method missing'].includes(name)) change(all);
  const { contradictions } = compareDocuments(contract(), all);
  for (const { name, says } of SEEDED.filter(({ name }) => !['path drifted', 'method missing'].includes(name))) {
    expect(
      contradictions.some((line) => says.test(line)),
      name,
    ).toBe(true);
  }
});

test('the contract does not contradict itself: as YAML, under /api/v1, in the manner of 3.0', () => {
  expect(compareDocuments(contract(), copy())).toEqual({ contradictions: [], additions: [], leftOut: [] });
  const served = readDocument(stringify(contract()));
  expect(compareDocuments(contract(), served ?? {}).contradictions).toEqual([]);
  const older = copy();
  older.openapi = '3.0.3';
  older.paths = Object.fromEntries(Object.entries(older.paths).map(([path, item]) => [`/api/v1${path}`, item]));
  older.components.schemas.Keyword.properties.site_id = { type: 'integer', nullable: true };
  older.components.schemas.User.properties.account = {
    allOf: [{ $ref: '#/components/schemas/Account' }],
    readOnly: true,
  };
  older.components.schemas.User.properties.avatar = { type: 'string' };
  expect(compareDocuments(contract(), older).contradictions).toEqual([]);
});

test('what documents nothing but successes, or is no document, is told apart', () => {
  const successes = copy();
  for (const item of Object.values(successes.paths) as Document[]) {
    for (const operation of Object.values(item) as Document[]) {
      for (const status of Object.keys(operation.responses))
        if (!status.startsWith('2')) delete operation.responses[status];
    }
  }
  expect(compareDocuments(contract(), successes).contradictions).toEqual([]);
  for (const text of ['', '<html>', '{"detail":"no"}', 'a: [', '&a [*a]']) expect(readDocument(text)).toBeUndefined();
});
