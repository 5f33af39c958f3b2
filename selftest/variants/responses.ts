/** Another shape, spelling or set of headers of a response. */
import { randomUUID } from 'node:crypto';
import { headersFor, type Json } from '../defects/helpers.js';
import type { Variant } from './variant.js';

/** The body of a response as another text of the same JSON. */
const rewritten = (write: (body: unknown) => string): NonNullable<Variant['replace']> => {
  return (parts) => ({
    present: (answer, context) => {
      const shown = parts.present(answer, context);
      const body = shown.body.toString();
      return body === '' ? shown : { ...shown, body: write(JSON.parse(body)) };
    },
  });
};

/** The same value, the members of each object in the reverse of their order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
};

export const RESPONSES: readonly Variant[] = [
  {
    id: 'ids-in-capitals',
    words: 'A UUID may be in either letter case.',
    replace: (parts) => ({ requestId: (context, status) => String(parts.requestId(context, status)).toUpperCase() }),
  },
  {
    id: 'ids-by-time',
    words: 'RID-05: RFC 9562 variant and version, whichever version it is.',
    replace: () => {
      let last = Date.now();
      return {
        requestId: () => {
          last += 1;
          return `${last
            .toString(16)
            .padStart(12, '0')
            .replace(/^(.{8})/, '$1-')}-7${randomUUID().slice(15)}`;
        },
      };
    },
  },
  {
    id: 'more-in-data',
    words: 'Extra members inside `data` are no fault; `message` is optional on success.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => {
        const envelope = parts.successEnvelope(outcome, id, context) as Json;
        const more = { expires_in: 900, plan: { name: 'free' }, features: [] };
        return 'data' in outcome
          ? { ...envelope, message: 'Done', data: { ...(outcome.data as Json), ...more } }
          : { ...envelope, message: 'Listed' };
      },
    }),
  },
  {
    id: 'no-charset',
    words: 'ENV-07: `application/json` in UTF-8; the media type has no charset parameter (RFC 8259 §11).',
    replace: headersFor(() => ({ 'Content-Type': 'application/json' })),
  },
  {
    id: 'several-challenges',
    words: 'UNA-12: `WWW-Authenticate` with scheme `Bearer`, alone or among others (RFC 9110 §11.6.1).',
    replace: headersFor((_, status) =>
      status === 401
        ? { 'WWW-Authenticate': 'Basic realm="x, Bearer", Bearer realm="api", error="invalid_token"' }
        : {},
    ),
  },
  {
    id: 'other-texts',
    words: 'UNA-02: other 401s than that for missing credentials may say more.',
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => ({
        ...parts.errorEnvelope(refusal, id, context),
        ...(refusal.status === 401 && context.headers['authorization'] !== undefined
          ? { error: 'The token is not good.' }
          : {}),
      }),
    }),
  },
  {
    id: 'private-no-store',
    words: 'LOG-12: `Cache-Control: no-store`, with other directives or without.',
    replace: headersFor(() => ({ 'Cache-Control': 'private, no-store, max-age=0' })),
  },
  {
    id: 'cookies-that-open-nothing',
    words: 'UNA-11: cookies set by login do not authenticate by themselves.',
    replace: headersFor(({ operation }, status) =>
      operation === 'login' && status === 200 ? { 'Set-Cookie': `sessionid=${randomUUID()}; HttpOnly; Path=/` } : {},
    ),
  },
  {
    id: 'json-indented',
    words: 'JSON both ways: how it is spaced is not said (RFC 8259 §2).',
    replace: rewritten((body) => `\r\n${JSON.stringify(body, null, '\t')}\r\n`),
  },
  {
    id: 'json-escaped',
    words: 'A string may be written with escapes (RFC 8259 §7).',
    replace: rewritten((body) =>
      JSON.stringify(body).replace(
        /[\u007f-\uffff<>&]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
    ),
  },
  {
    id: 'json-in-another-order',
    words: 'An object is an unordered collection of its fields (RFC 8259 §1).',
    replace: rewritten((body) => JSON.stringify(reversed(body))),
  },
  {
    id: 'charset-quoted-in-capitals',
    words:
      'ENV-07: `application/json` in UTF-8; types, names and charsets know no letter case, and values may be quoted (RFC 9110 §8.3.1).',
    replace: headersFor(() => ({ 'Content-Type': 'Application/JSON;Charset="UTF-8"' })),
  },
  {
    id: 'message-null',
    words: '`message` is optional on success; nobody says what it is when there is nothing to say.',
    replace: (parts) => ({
      successEnvelope: (outcome, id, context) => ({
        ...parts.successEnvelope(outcome, id, context),
        message: context.operation === 'login' ? 'Welcome back' : null,
      }),
    }),
    // The OpenAPI document has `message` as a string.
    fails: ['ENV-08'],
  },
  {
    id: 'framework-headers',
    words: 'Which further headers a response has is not said: Django REST framework always sends these.',
    replace: headersFor(({ operation }) => ({
      Vary: 'Authorization, Accept, Origin',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'same-origin',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Content-Language': 'en',
      ...(operation === undefined || operation.endsWith('Keyword') ? {} : { Allow: 'POST, OPTIONS' }),
    })),
  },
  {
    id: 'csrf-cookie-everywhere',
    words: 'UNA-11: cookies do not authenticate; a new csrftoken comes with each response, and nothing asks for it.',
    replace: headersFor(() => ({
      'Set-Cookie': `csrftoken=${randomUUID().replaceAll('-', '')}; Path=/; SameSite=Lax`,
    })),
  },
  {
    id: 'refresh-cookie-beside',
    words:
      'UNA-11: cookies set by login do not authenticate; here the refresh token is in one, and refresh takes it from the body only.',
    replace: (parts) => ({
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        if (shown.status > 201 || !['login', 'register', 'refresh'].includes(context.operation ?? '')) return shown;
        const { data } = JSON.parse(shown.body.toString()) as { data: { refresh: string } };
        const cookie = `refresh_token=${data.refresh}; HttpOnly; Secure; SameSite=Strict; Path=/api/v1/auth/`;
        return { ...shown, headers: { ...shown.headers, 'Set-Cookie': cookie } };
      },
    }),
  },
  {
    id: 'open-to-every-page',
    words: 'NET-02: never an arbitrary origin together with credentials; `*` without them is no such thing.',
    replace: headersFor(() => ({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': '*' })),
  },
  {
    id: 'open-to-one-page',
    words: 'NET-02 speaks of arbitrary origins: one that is on a list may come with credentials.',
    replace: headersFor(({ headers }) =>
      headers['origin'] === 'https://app.igny8.com'
        ? {
            'Access-Control-Allow-Origin': 'https://app.igny8.com',
            'Access-Control-Allow-Credentials': 'true',
            Vary: 'Authorization, Origin',
          }
        : { Vary: 'Authorization, Origin' },
    ),
  },
  {
    id: 'errors-in-german',
    words: 'ENV-04: `error` is a non-empty string; only those of 401 for missing credentials and of 403 are named.',
    replace: (parts) => ({
      errorEnvelope: (refusal, id, context) => {
        const envelope = parts.errorEnvelope(refusal, id, context) as Json;
        const named = refusal.status === 401 || refusal.status === 403;
        return named ? envelope : { ...envelope, error: 'Die Anfrage wurde abgelehnt – bitte prüfen.' };
      },
    }),
  },
];
