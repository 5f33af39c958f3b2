/** Responses to authenticated requests stay out of shared caches (UNA-20). */
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { type Check, Blocked } from '../../../fixtures/check/check.js';
import { isRefusedHere, askedWith } from './unauthenticated.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** What keeps a response out of shared caches is missing; undefined if nothing is (RFC 9111 §3.5). */
function offeredToCaches(reply: Reply): string | undefined {
  const cacheControl = reply.header('cache-control') ?? '';
  const [offer] = /\bpublic\b|\bs-maxage\b/i.exec(cacheControl) ?? [];
  const varies = /(^|,)\s*(authorization|\*)\s*(,|$)/i.test(reply.header('vary') ?? '');
  return offer === undefined || varies || /\b(no-store|private)\b/i.test(cacheControl)
    ? undefined
    : `\`Cache-Control: ${cacheControl}\` without \`Vary: Authorization\``;
}

/** A response to an authenticated request is not offered to caches, and not given to who asks next without a token. */
export async function judgeCaching(check: Check, access: string, path: string): Promise<void> {
  const list = check.api.path('listKeywords');
  // A route that needs no token is another clause's.
  const before = await check.raw({ method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}before=1` });
  if (!isRefusedHere(check, before))
    throw new Blocked(path.startsWith(`${list}?`) || path === list ? 'UNA-01' : 'UNA-14', seenStatus(before));
  const given = await askedWith(check, `Bearer ${access}`, path);
  if (given.status !== 200) throw new Blocked('JRN-01', `${path} returned ${seenStatus(given)} with a live token`);
  const offered = offeredToCaches(given);
  expect(given, 'the response').toSatisfy(offered === undefined, 'not offered to shared caches', offered ?? '');
  const next = await check.raw({ method: 'GET', path });
  expect(next, 'the same address, asked next without a token').toSatisfy(
    next.status >= 300 && next.status < 500,
    'nothing of it',
    seenStatus(next),
  );
}
