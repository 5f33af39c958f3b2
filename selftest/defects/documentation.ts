/** Documentation that is missing, or contradicts the contract. */
import { parse } from 'yaml';
import type { Parts } from '../../fixtures/reference/behaviour.js';
import type { Defect } from './defect.js';
import type { Json } from './helpers.js';

const document =
  (change: (document: Json & { paths: Record<string, Json>; components: { schemas: Record<string, Json> } }) => void) =>
  (parts: Parts): Partial<Parts> => ({
    schema: () => {
      const document = parse(JSON.stringify(parts.schema())) as Parameters<typeof change>[0];
      change(document);
      return document;
    },
  });

export const DOCUMENTATION: readonly Defect[] = [
  {
    id: 'docs-wrong-server',
    browser: true,
    story: 'The document names a server that is not there.',
    clauses: ['DOC-01'],
    replace: document((document) => {
      document['servers'] = [{ url: '/v2' }];
    }),
  },
  {
    id: 'docs-without-bearer',
    browser: true,
    story: 'The security scheme is called apiKey, and Authorize asks for a cookie.',
    clauses: ['DOC-01', 'DOC-02'],
    replace: document(({ components }) => {
      (components as unknown as { securitySchemes: Json }).securitySchemes = {
        bearer: { type: 'apiKey', in: 'header', name: 'X-Key' },
      };
    }),
  },
  {
    id: 'docs-empty-page',
    browser: true,
    story: 'The bundle is loaded from elsewhere, and the page stays empty.',
    clauses: ['DOC-01'],
    replace: () => ({ docsPage: () => '<!doctype html><title>API</title><div id="swagger-ui"></div>' }),
  },
  {
    id: 'schema-drifted-path',
    story: 'The route was moved to `auth/token/refresh/`.',
    clauses: ['DOC-02'],
    replace: document(({ paths }) => {
      paths['/auth/token/refresh/'] = paths['/auth/refresh/'] ?? {};
      delete paths['/auth/refresh/'];
    }),
  },
  {
    id: 'schema-open-route',
    story: 'The document says that the list needs no token.',
    clauses: ['DOC-02'],
    replace: document(({ paths }) => {
      (paths['/planner/keywords/'] as { get: Json }).get['security'] = [];
    }),
  },
  {
    id: 'schema-missing',
    story: 'The document is served to staff only.',
    clauses: ['DOC-02'],
    replace: () => ({ schema: () => ({ detail: 'Not found.' }) }),
  },
  {
    id: 'schema-other-scheme',
    story: 'The document tells of sessions and of HTTP Basic, as the generator found them.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { components: { securitySchemes: Json } };
        const schemes = document.components.securitySchemes;
        for (const name of Object.keys(schemes)) schemes[name] = { type: 'http', scheme: 'basic' };
        return document;
      },
    }),
  },
  {
    id: 'authentication-optional',
    story:
      'drf-spectacular adds `{}` to the security of a view with IsAuthenticatedOrReadOnly, once set ' +
      'and never right: reading one row is said to need no token.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = parts.schema() as { paths: Record<string, Record<string, Record<string, unknown>>> };
        const get = document.paths['/planner/keywords/{id}/']?.['get'];
        if (get !== undefined) get['security'] = [{ bearer: [] }, {}];
        return document;
      },
    }),
  },
  {
    id: 'schema-optional-security',
    story: 'The generator lists `{}` beside the bearer scheme: reading is documented as open.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { paths: Record<string, Record<string, Json>> };
        const list = document.paths['/planner/keywords/']?.['get'];
        if (list !== undefined) list['security'] = [{ bearer: [] }, {}];
        return document;
      },
    }),
  },
  {
    id: 'patch-documented-as-public',
    story: 'One action was annotated as public in the document, and nobody reads the document.',
    clauses: ['DOC-02'],
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { paths: Record<string, Record<string, object>> };
        const row = document.paths['/planner/keywords/{id}/'];
        if (row !== undefined) row['patch'] = { ...row['patch'], security: [] };
        return document;
      },
    }),
  },
  {
    id: 'refresh-documented-without-rotation',
    story: 'drf-spectacular describes refresh as Simple JWT has it without rotation: `refresh` is write-only.',
    clauses: ['DOC-02'],
    replace: document(({ components }) => {
      const answer = components.schemas['RefreshAnswer'] as { properties: Json } | undefined;
      if (answer === undefined) return;
      answer.properties['data'] = {
        type: 'object',
        required: ['access'],
        properties: { access: { type: 'string', readOnly: true }, refresh: { type: 'string', writeOnly: true } },
      };
    }),
  },
];
