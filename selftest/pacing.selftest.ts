import { expect, test } from '@playwright/test';
import { Pacer, readPacing } from '../fixtures/run/pacing.js';

/** 2026-01-01 in milliseconds. */
const NOW = 1_767_225_600_000;

function read(status: number, headers: Record<string, string>): ReturnType<typeof readPacing> {
  return readPacing('auth', status, (name) => headers[name], NOW);
}

test('reads the limit in every spelling that servers give it', () => {
  const room = { scope: 'auth', refused: false, limit: 20, remaining: 5, resetInSeconds: 30 };
  for (const headers of [
    { 'x-throttle-limit': '20', 'x-throttle-remaining': '5', 'x-throttle-reset': String(NOW / 1000 + 30) },
    { 'ratelimit-limit': '20', 'ratelimit-remaining': '5', 'ratelimit-reset': '30' },
    { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '30' },
    { ratelimit: 'limit=20, remaining=5, reset=30' },
    { ratelimit: '"auth";r=5;t=30', 'ratelimit-policy': '"auth";q=20;w=60' },
  ]) {
    expect(read(200, headers)).toEqual(room);
  }
  expect(read(429, { 'retry-after': '12' })).toEqual({ scope: 'auth', refused: true, resetInSeconds: 12 });
  expect(read(429, { 'retry-after': new Date(NOW + 9000).toUTCString() }).resetInSeconds).toBe(9);
  expect(read(200, { 'x-throttle-limit': 'many', ratelimit: '???' })).toEqual({ scope: 'auth', refused: false });
});

test('waits for the end of a window, lets one request ahead of the next, and is never refused', () => {
  const limit = { requests: 20, windowMs: 60_000 };
  const pacer = new Pacer(undefined, () => undefined);
  let [now, opened, used, refusals] = [NOW, NOW, 0, 0];
  for (let sent = 0; sent < 100;) {
    const { waitMs, givenUp } = pacer.mayI('auth', now);
    expect(givenUp).toBeUndefined();
    if (waitMs > 0) {
      now += waitMs;
      continue;
    }
    if (now >= opened + limit.windowMs) [opened, used] = [now, 0];
    used += 1;
    sent += 1;
    const refused = used > limit.requests;
    if (refused) refusals += 1;
    const resetInSeconds = Math.ceil((opened + limit.windowMs - now) / 1000);
    pacer.learn({ scope: 'auth', refused, remaining: Math.max(0, limit.requests - used), resetInSeconds }, now);
    now += 50;
  }
  expect(refusals).toBe(0);
  // Five windows of twenty: four waits, and no more than a tenth beyond them.
  expect(now - NOW).toBeLessThan(4 * limit.windowMs * 1.1);
});

test('several requests that were under way and are refused together are one wait, not several', () => {
  const pacer = new Pacer(undefined, () => undefined);
  let now = NOW;
  for (let turn = 0; turn < 3; turn += 1) {
    const together = Array.from({ length: 8 }, () => pacer.mayI('auth', now));
    expect(together.map(({ givenUp }) => givenUp)).toEqual(Array.from({ length: 8 }, () => undefined));
    for (const [i] of together.entries()) pacer.learn({ scope: 'auth', refused: true, resetInSeconds: 60 }, now + i);
    now += 61_000;
  }
});

test('a target that never lets up, or asks for an hour, is given up in words', () => {
  const never = new Pacer(undefined, () => undefined);
  let now = NOW;
  for (let turn = 0; ; turn += 1) {
    const { waitMs, givenUp } = never.mayI('auth', now);
    if (givenUp !== undefined) {
      expect(givenUp).toMatch(/kept answering 429 to auth requests/);
      break;
    }
    expect(turn, 'it ends').toBeLessThan(50);
    now += waitMs;
    if (waitMs === 0) never.learn({ scope: 'auth', refused: true, resetInSeconds: 5 }, now);
  }
  expect(now - NOW).toBeLessThan(60_000);
  const long = new Pacer(undefined, () => undefined);
  long.mayI('auth', NOW);
  long.learn({ scope: 'auth', refused: true, resetInSeconds: 3600 }, NOW);
  expect(long.mayI('auth', NOW).givenUp).toMatch(/asks to wait 3600 s/);
});
