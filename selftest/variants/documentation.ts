/** The documentation as other frameworks serve it. */
import type { Parts } from '../../fixtures/reference/behaviour.js';
import type { Json } from '../defects/helpers.js';
import type { Variant } from './variant.js';

type Document = Json & {
  components: Json & { securitySchemes: Json };
  security?: unknown;
  paths: Record<string, Record<string, Json>>;
};

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
/** As drf-spectacular writes them for the classes of a stock Django REST framework. */
const BASIC = { type: 'http', scheme: 'basic' };
const COOKIE = { type: 'apiKey', in: 'cookie', name: 'sessionid' };
const TOKEN = { type: 'apiKey', in: 'header', name: 'Authorization', description: 'Token-based, with prefix "Token"' };

/** Swagger UI with several security schemes, in the order given: each protected operation takes any of them. */
const schemes =
  (given: Readonly<Record<string, object>>) =>
  (parts: Parts): Partial<Parts> => ({
    schema: () => {
      const document = structuredClone(parts.schema()) as Document;
      document.components.securitySchemes = { ...given };
      const any = Object.keys(given).map((name) => ({ [name]: [] }));
      if (document.security !== undefined) document.security = any;
      for (const item of Object.values(document.paths))
        for (const operation of Object.values(item))
          if (Array.isArray(operation['security']) && operation['security'].length > 0) operation['security'] = any;
      return document;
    },
  });

/** The page with other settings of Swagger UI. */
const page =
  (settings: string) =>
  (parts: Parts): Partial<Parts> => ({
    docsPage: () =>
      parts
        .docsPage()
        .replace(
          /<script src="[^"]*start\.js"><\/script>/,
          `<script>SwaggerUIBundle({ url: '/api/schema/', dom_id: '#swagger-ui', ${settings} });</script>`,
        ),
  });

const WORDS =
  'DOC-01: Authorize takes the bearer token. How many schemes stand beside it, and in which order, nobody says: ';

export const DOCUMENTATION: readonly Variant[] = [
  {
    id: 'documents-the-guide-only',
    words: "DOC-02: the served document names the guide's endpoints.",
    replace: (parts) => ({
      schema: () => {
        const document = structuredClone(parts.schema()) as { paths: Record<string, Json> };
        const { '/planner/keywords/': list, '/planner/keywords/{id}/': _, ...others } = document.paths;
        return { ...document, paths: { ...others, '/planner/keywords/': { get: list?.['get'] } } };
      },
    }),
  },
  {
    id: 'two-schemes',
    words: `${WORDS}two.`,
    browser: true,
    replace: schemes({ basicAuth: BASIC, jwtAuth: BEARER }),
  },
  {
    id: 'four-schemes-bearer-last',
    words: `${WORDS}four, as the classes of a framework make them.`,
    browser: true,
    replace: schemes({ cookieAuth: COOKIE, basicAuth: BASIC, tokenAuth: TOKEN, jwtAuth: BEARER }),
  },
  {
    id: 'four-schemes-bearer-first',
    words: `${WORDS}four, and the page starts with all closed and nothing tried out.`,
    browser: true,
    replace: (parts) => ({
      ...schemes({ jwtAuth: BEARER, cookieAuth: COOKIE, basicAuth: BASIC, tokenAuth: TOKEN })(parts),
      ...page(
        "docExpansion: 'none', persistAuthorization: true, deepLinking: true, displayOperationId: true, filter: true",
      )(parts),
    }),
  },
];
