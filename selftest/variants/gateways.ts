/** Headers that gateways, load balancers and CDNs put on responses: another value each time, and none of the API's doing. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Context } from '../../fixtures/reference/behaviour.js';
import { headersFor } from '../defects/helpers.js';
import type { Variant } from './variant.js';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const milliseconds = (): string => String(randomInt(1, 900));

/** What allows all of them. */
const WORDS =
  'LOG-06: told apart by nothing but ids, times and rate-limit counters. Which further headers a response has, nobody says: ';

const gateway = (
  id: string,
  whose: string,
  headers: (context: Context, status: number) => Record<string, string>,
): Variant => ({ id, words: WORDS + whose, replace: headersFor(headers) });

let served = 0;

export const GATEWAYS: readonly Variant[] = [
  gateway('gateway-aws', 'Amazon API Gateway.', () => ({
    'x-amzn-RequestId': randomUUID(),
    'x-amz-apigw-id': randomBytes(11).toString('base64url'),
    'X-Amzn-Trace-Id': `Root=1-${hex(4)}-${hex(12)};Sampled=0`,
  })),
  gateway('gateway-aws-balancer', 'a load balancer whose cookie is new with each response.', () => ({
    'Set-Cookie': `AWSALB=${randomBytes(60).toString('base64')}; Path=/`,
    'X-Backend-Server': ['web-1', 'web-2', 'web-3'][(served += 1) % 3] ?? '',
  })),
  gateway('gateway-cloudflare', 'Cloudflare.', () => ({
    Server: 'cloudflare',
    'CF-Ray': `${hex(8)}-FRA`,
    'CF-Cache-Status': 'DYNAMIC',
    'Report-To': `{"endpoints":[{"url":"https://a.nel.example/report?s=${hex(30)}"}],"group":"cf-nel","max_age":604800}`,
    NEL: '{"success_fraction":0,"report_to":"cf-nel","max_age":604800}',
    'Server-Timing': `cfL4;desc="?proto=TCP&rtt=${milliseconds()}&sent=${milliseconds()}"`,
    'alt-svc': 'h3=":443"; ma=86400',
  })),
  gateway('gateway-cloudflare-cookie', 'Cloudflare, which sets a cookie of its own to know bots by.', () => ({
    'Set-Cookie': `__cf_bm=${hex(20)}-${String(Date.now())}-1.0.1.1-${hex(40)}; Path=/; HttpOnly; Secure; SameSite=None`,
  })),
  gateway('gateway-envoy', 'Envoy and Istio.', () => ({
    Server: 'istio-envoy',
    'X-Envoy-Upstream-Service-Time': milliseconds(),
    'X-Envoy-Decorator-Operation': 'api.default.svc.cluster.local:8000/*',
    'X-Request-Id': randomUUID(),
  })),
  gateway('gateway-kong', 'Kong.', () => ({
    Via: '1.1 kong/3.9.0',
    'X-Kong-Upstream-Latency': milliseconds(),
    'X-Kong-Proxy-Latency': milliseconds(),
    'X-Kong-Request-Id': hex(16),
  })),
  gateway('gateway-azure', 'Azure Front Door and API Management.', () => ({
    'x-azure-ref': `${new Date().toISOString().replace(/\W/g, '')}-${hex(12)}`,
    'x-ms-request-id': randomUUID(),
    'Request-Context': `appId=cid-v1:${randomUUID()}`,
    'X-Cache': 'CONFIG_NOCACHE',
  })),
  gateway('gateway-google', 'Google Cloud, with tracing.', () => ({
    Via: '1.1 google',
    'X-Cloud-Trace-Context': `${hex(16)}/${String(randomInt(2 ** 40))};o=1`,
    traceparent: `00-${hex(16)}-${hex(8)}-01`,
    'X-Serverless-Execution-Id': hex(6),
  })),
  gateway('gateway-varnish', 'Varnish and Fastly.', () => ({
    'X-Varnish': String(randomInt(2 ** 40)),
    'X-Served-By': `cache-fra${String(randomInt(1000, 9999))}-FRA`,
    'X-Timer': `S${(Date.now() / 1000).toFixed(6)},VS0,VE${milliseconds()}`,
    'X-Cache-Hits': '0',
    Age: '0',
  })),
  gateway(
    'gateway-traffic-limits',
    'a gateway that counts every request by the draft standard, its window in the header.',
    () => {
      served += 1;
      return {
        'RateLimit-Limit': '5000',
        'RateLimit-Remaining': String(5000 - (served % 5000)),
        'RateLimit-Reset': String(60 - (served % 60)),
        'X-RateLimit-Requests-Left': String(100_000 - served),
      };
    },
  ),
  gateway('policy-with-a-nonce', 'Content-Security-Policy with a nonce.', () => ({
    'Content-Security-Policy': `default-src 'none'; script-src 'nonce-${randomBytes(16).toString('base64')}'; frame-ancestors 'none'`,
  })),
  gateway('runtime-told', 'frameworks that tell how long they took, and of which process.', () => ({
    'X-Runtime': (randomInt(1, 9_999_999) / 1e7).toFixed(6),
    'Server-Timing': `total;dur=${milliseconds()}.${milliseconds()}, db;dur=${milliseconds()}`,
    'X-Process': String(randomInt(100, 9999)),
    'X-Correlation-ID': randomUUID(),
  })),
  gateway('entity-tags', 'an ETag of a body that holds a `request_id`, and when it was made.', () => ({
    ETag: `W/"${hex(10)}"`,
    'Last-Modified': new Date().toUTCString(),
  })),
  gateway('headers-in-any-order', 'a map without an order writes headers as they come.', () =>
    Object.fromEntries(
      ['X-A', 'X-B', 'X-C', 'X-D'].map((name) => [name, 'same'] as const).sort(() => randomInt(3) - 1),
    ),
  ),
  gateway('now-and-then-a-header', 'an experiment that one response in three takes part in.', () =>
    (served += 1) % 3 === 0 ? { 'X-Experiment': `variant-${hex(2)}`, 'X-Debug-Sampled': '1' } : {},
  ),
];
