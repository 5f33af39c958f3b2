/**
 * What stands in front of the API and answers by itself: a web server with limits of its own, a firewall that knows attacks by their looks.
 * The contract speaks of the API; what comes from in front is told apart from it, named, and no MUST of the API's.
 */
import { randomBytes } from 'node:crypto';
import { Refusal, type Answer, type Context, type Parts } from '../../fixtures/reference/behaviour.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Variant } from './variant.js';

/** An answer in place of the API's, which never sees the request. */
const inFront =
  (answer: (context: Context, parts: Parts) => Answer | undefined) =>
  (parts: Parts): Partial<Parts> => {
    const own = new WeakMap<Context, Answer>();
    return {
      throttle: (context) => {
        const front = answer(context, parts);
        if (front === undefined) return parts.throttle(context);
        own.set(context, front);
        throw new Refusal(front.status, 'answered in front');
      },
      present: (shown, context) => own.get(context) ?? parts.present(shown, context),
    };
  };

const page = (title: string, server: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n` +
  `<hr><center>${server}</center>\r\n</body>\r\n</html>\r\n`;

/** As nginx writes its own errors. */
const nginx = (status: number, title: string, parts: Parts): Answer => ({
  status,
  headers: { Server: 'nginx/1.22.1', Date: new Date(parts.clock()).toUTCString(), 'Content-Type': 'text/html' },
  body: page(`${String(status)} ${title}`, 'nginx/1.22.1'),
});

const gatewayJson = (status: number, message: string, headers: Record<string, string>, parts: Parts): Answer => ({
  status,
  headers: { Date: new Date(parts.clock()).toUTCString(), 'Content-Type': 'application/json', ...headers },
  body: JSON.stringify({ message }),
});

/** Characters of the longest header line, and of all of them. */
const headerSize = ({ headers }: Context): { readonly line: number; readonly all: number } => {
  const lines = Object.entries(headers).map(([name, value]) => name.length + 4 + (value?.length ?? 0));
  return { line: Math.max(0, ...lines), all: lines.reduce((sum, line) => sum + line, 0) };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** What a firewall looks at: path, query, body and header values. */
const seen = ({ path, query, headers, rawBody }: Context): string =>
  [
    path,
    decoded(path),
    query.toString(),
    ...query.values(),
    ...Object.values(headers),
    rawBody.subarray(0, 131_072).toString(),
  ].join('\n');

const ATTACK =
  /<script|\.\.[/\\]|\/etc\/passwd|\/dev\/null|union\s+select|'\s*(or|and)\s+'?\d|\bselect\b.+\bfrom\b|\$(ne|gt|where)\b|__proto__|constructor|\\u0000|%00|\0|;\s*(drop|cat)\b/i;
const looksBad = (context: Context): boolean => ATTACK.test(seen(context));

const WORDS =
  'What a proxy, WAF or HTTP server in front answers by itself is told apart, named, and no MUST of the API’s: ';
const front = (
  id: string,
  what: string,
  answer: (context: Context, parts: Parts) => Answer | undefined,
  unverified: readonly ClauseId[] = [],
): Variant => ({ id, words: WORDS + what, replace: inFront(answer), unverified });

export const FRONTS: readonly Variant[] = [
  front('waf-403-html', 'a firewall answers what looks like an attack with its HTML 403.', (context, parts) =>
    looksBad(context) ? nginx(403, 'Forbidden', parts) : undefined,
  ),
  front('waf-406-html', 'an older firewall says 406.', (context, parts) =>
    looksBad(context) ? nginx(406, 'Not Acceptable', parts) : undefined,
  ),
  front('waf-cloudflare', 'the page of a CDN, with a ray of its own.', (context, parts) =>
    looksBad(context)
      ? {
          status: 403,
          headers: {
            Server: 'cloudflare',
            'CF-RAY': `${randomBytes(8).toString('hex')}-FRA`,
            Date: new Date(parts.clock()).toUTCString(),
            'Content-Type': 'text/html; charset=UTF-8',
            'X-Frame-Options': 'SAMEORIGIN',
          },
          body:
            `<!DOCTYPE html><html lang="en-US"><head><title>Attention Required! | ` +
            `Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1><p>Ray ` +
            `ID: ${randomBytes(8).toString('hex')}</p></body></html>`,
        }
      : undefined,
  ),
  front('waf-json', 'a gateway has JSON of its own.', (context, parts) =>
    looksBad(context)
      ? gatewayJson(
          403,
          'Forbidden',
          { 'x-amzn-ErrorType': 'ForbiddenException', 'x-amzn-RequestId': randomBytes(16).toString('hex') },
          parts,
        )
      : undefined,
  ),
  front('waf-content-types', 'a firewall lets in the content types and charsets that it knows.', (context, parts) => {
    const type = context.headers['content-type'] ?? 'application/json';
    return /^(application\/json|application\/x-www-form-urlencoded|multipart\/form-data)(; ?charset="?(utf-8|iso-8859-1)"?)?$/i.test(
      type,
    )
      ? undefined
      : nginx(403, 'Forbidden', parts);
  }),
  front(
    'waf-methods',
    'a firewall lets in the methods that it knows.',
    (context, parts) =>
      ['GET', 'HEAD', 'POST', 'OPTIONS'].includes(context.method) || context.method === ''
        ? undefined
        : nginx(403, 'Forbidden', parts),
    ['FOR-11', 'ENV-11'],
  ),
  front('web-server-methods', '`limit_except` answers with the HTML 405 of the web server.', (context, parts) =>
    ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', ''].includes(context.method)
      ? undefined
      : nginx(405, 'Not Allowed', parts),
  ),
  front('header-over-8k-400', 'nginx refuses a header line beyond 8 KB with its HTML 400.', (context, parts) =>
    headerSize(context).line > 8192
      ? { ...nginx(400, 'Bad Request', parts), body: page('400 Request Header Or Cookie Too Large', 'nginx') }
      : undefined,
  ),
  front('headers-over-8k-431', 'Tomcat and Node refuse headers beyond 8 KB in all with 431.', (context, parts) =>
    headerSize(context).all > 8192 ? nginx(431, 'Request Header Fields Too Large', parts) : undefined,
  ),
  front(
    'header-over-8k-gunicorn',
    'gunicorn refuses a header field beyond 8190 bytes with a page of its own.',
    (context, parts) =>
      headerSize(context).line > 8190
        ? {
            status: 400,
            headers: { Connection: 'close', Date: new Date(parts.clock()).toUTCString(), 'Content-Type': 'text/html' },
            body:
              '<html>\n  <head>\n    <title>Bad Request</title>\n  </head>\n  <body>\n    <h1><p>Bad ' +
              'Request</p></h1>\n    Error parsing headers: &#x27;limit request headers fields size&#x27;\n  ' +
              '</body>\n</html>\n',
          }
        : undefined,
  ),
  front(
    'body-over-1m-413',
    'nginx takes no body beyond 1 MB, unless it is told to.',
    (context, parts) =>
      context.rawBody.length > 1_000_000 ? nginx(413, 'Request Entity Too Large', parts) : undefined,
    ['ROB-04'],
  ),
  front(
    'body-over-1m-json',
    'a gateway takes no body beyond 1 MB, and says so in JSON of its own.',
    (context, parts) =>
      context.rawBody.length > 1_000_000
        ? gatewayJson(413, 'Request size limit exceeded', { Server: 'kong/3.9.0' }, parts)
        : undefined,
    ['ROB-04'],
  ),
  front(
    'address-over-2k-414',
    'a web server takes no address beyond 2 KB.',
    (context, parts) =>
      context.path.length + context.query.toString().length > 2048
        ? nginx(414, 'Request-URI Too Large', parts)
        : undefined,
    // It asks with many parameters in one address.
    ['UNA-10'],
  ),
  front('nul-in-address-400', 'Apache and nginx refuse NUL in a path.', (context, parts) =>
    context.path.includes('%00') || [...context.query.values()].some((value) => value.includes('\0'))
      ? nginx(400, 'Bad Request', parts)
      : undefined,
  ),
];
