import { clause, expect } from '../fixtures/check/clause.js';
import { Finding, type Check } from '../fixtures/check/check.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { NoAnswer } from '../fixtures/http/transport.js';
import type { Row } from '../fixtures/check/judging.js';

/** The same route in plain text: behind the usual ports the other usual one, else the same port. */
function inPlainText({ host, pathname }: URL, path: string): string {
  return `http://${host}${pathname}${path}`;
}

async function judgeHsts(check: Check): Promise<void> {
  const reply = await check.raw({ method: 'GET', path: check.api.path('listKeywords') });
  const hsts = reply.header('strict-transport-security');
  expect(reply).toSatisfy(
    /(^|[;\s])max-age="?0*[1-9]/i.test(hsts ?? ''),
    'there, with a max-age',
    hsts === undefined ? 'none' : `“${hsts}”`,
  );
}

async function judgePlainHttp(check: Check): Promise<void> {
  const path = inPlainText(new URL(check.target.baseUrl), check.api.path('listKeywords'));
  let answer: Reply;
  try {
    // Without any credentials: what is asked in plain text is read by anybody.
    answer = await check.raw({ method: 'GET', path });
  } catch (error) {
    if (error instanceof NoAnswer) return;
    throw error;
  }
  const location = answer.header('location') ?? '';
  expect(answer).toSatisfy(
    answer.status >= 400 || (answer.status >= 300 && /^https:/i.test(location)),
    'refused, or redirected to https',
    `${String(answer.status)}${location === '' ? '' : ' to another place'}`,
  );
}

clause('NET-01', async (check) => {
  await check.eachRow(
    [
      { name: '`Strict-Transport-Security`', judge: () => judgeHsts(check) },
      { name: 'plain http', judge: () => judgePlainHttp(check) },
    ],
    ({ judge }) => judge(),
  );
});

const STRANGER = 'https://conformance.invalid';

/** Those after the second are taken for one's own where only the beginning or the end of an origin is compared. */
function strangeOrigins({ target }: Check): string[] {
  const { protocol, hostname } = new URL(target.baseUrl);
  return [
    STRANGER,
    'null',
    `${protocol}//${hostname}.conformance.invalid`,
    'https://app.igny8.com.conformance.invalid',
    'https://conformanceigny8.com',
  ];
}

interface FromOrigin extends Row {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** Requests of pages from elsewhere: with a token, without one, and the preflights of both. */
function fromElsewhere(check: Check, access: string): FromOrigin[] {
  const list = { method: 'GET', path: check.api.path('listKeywords') };
  const authorization = ['authorization', `Bearer ${access}`] as const;
  return [
    ...strangeOrigins(check).flatMap((origin) => [
      { ...list, name: `GET from ${origin}`, origin, headers: [authorization] },
      { ...list, name: `GET without a token from ${origin}`, origin, headers: [] },
    ]),
    ...(['listKeywords', 'refresh', 'login'] as const).map((operation) => ({
      name: `preflight of ${check.api.path(operation)} from ${STRANGER}`,
      origin: STRANGER,
      method: 'OPTIONS',
      path: check.api.path(operation),
      headers: [
        ['access-control-request-method', 'POST'] as const,
        ['access-control-request-headers', 'authorization,content-type'] as const,
      ],
    })),
  ];
}

clause('NET-02', async (check) => {
  const { access } = await check.session();
  await check.expectAuthorized(access);
  await check.eachRow(fromElsewhere(check, access), async ({ origin, method, path, headers }) => {
    const reply = await check.raw({ method, path, headers: [['origin', origin], ...headers] });
    const reflects =
      reply.header('access-control-allow-origin') === origin &&
      reply.header('access-control-allow-credentials')?.toLowerCase() === 'true';
    if (reflects)
      throw new Finding('the Origin is reflected together with Access-Control-Allow-Credentials: true', reply.exchange);
  });
});
