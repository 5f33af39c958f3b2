import { clause, expect } from '../fixtures/check/clause.js';
import { Finding } from '../fixtures/check/check.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { everyAnswer } from './support/sample-answers.js';
import { NoAnswer } from '../fixtures/http/transport.js';

/** The same route in plain text: behind the usual ports the other usual one, else the same port. */
function inPlainText({ host, pathname }: URL, path: string): string {
  return `http://${host}${pathname}${path}`;
}

clause('NET-01', async (check) => {
  const base = new URL(check.target.baseUrl);
  const rows = [
    {
      name: '`Strict-Transport-Security`',
      judge: async () => {
        const reply = await check.raw({ method: 'GET', path: check.api.path('listKeywords') });
        const hsts = reply.header('strict-transport-security');
        expect(reply).toSatisfy(
          /(^|[;\s])max-age="?0*[1-9]/i.test(hsts ?? ''),
          'there, with a max-age',
          hsts === undefined ? 'none' : `“${hsts}”`,
        );
      },
    },
    {
      name: 'plain http',
      judge: async () => {
        let answer: Reply;
        try {
          // Without any credentials: what is asked in plain text is read by anybody.
          answer = await check.raw({ method: 'GET', path: inPlainText(base, check.api.path('listKeywords')) });
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
      },
    },
  ];
  await check.eachRow(rows, ({ judge }) => judge());
});

clause('NET-02', async (check) => {
  const { access } = await check.session();
  await check.expectAuthorized(access);
  const { protocol, hostname } = new URL(check.target.baseUrl);
  // Those after the second are taken for one's own where only the beginning or the end of an origin is compared.
  const stranger = 'https://conformance.invalid';
  const origins = [
    stranger,
    'null',
    `${protocol}//${hostname}.conformance.invalid`,
    'https://app.igny8.com.conformance.invalid',
    'https://conformanceigny8.com',
  ];
  const rows = [
    ...origins.flatMap((origin) => [
      {
        name: `GET from ${origin}`,
        origin,
        method: 'GET',
        path: check.api.path('listKeywords'),
        headers: [['authorization', `Bearer ${access}`] as const],
      },
      {
        name: `GET without a token from ${origin}`,
        origin,
        method: 'GET',
        path: check.api.path('listKeywords'),
        headers: [],
      },
    ]),
    ...(['listKeywords', 'refresh', 'login'] as const).map((operation) => ({
      name: `preflight of ${check.api.path(operation)} from ${stranger}`,
      origin: stranger,
      method: 'OPTIONS',
      path: check.api.path(operation),
      headers: [
        ['access-control-request-method', 'POST'] as const,
        ['access-control-request-headers', 'authorization,content-type'] as const,
      ],
    })),
  ];
  await check.eachRow(rows, async ({ origin, method, path, headers }) => {
    const reply = await check.raw({ method, path, headers: [['origin', origin], ...headers] });
    const reflects =
      reply.header('access-control-allow-origin') === origin &&
      reply.header('access-control-allow-credentials')?.toLowerCase() === 'true';
    if (reflects)
      throw new Finding('the Origin is reflected together with Access-Control-Allow-Credentials: true', reply.exchange);
  });
});

clause('NET-03', { phase: 'every-response' }, async (check) => {
  check.eachAnswer(await everyAnswer(check), ({ nosniff }) =>
    nosniff ? undefined : 'no `X-Content-Type-Options: nosniff`',
  );
});
