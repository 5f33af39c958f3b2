/**
 * What the suite costs, as ratios of one run: absolute times differ from machine to machine.
 *
 *   npm run bench                          a default run beside bare requests, a slow target, and the inner loop
 *   npm run bench -- 235520f --pairs=5     and pairs of default runs, of that commit and of this one in turn
 *   npm run bench -- --timing-trials=50    LOG-07 so many times, and how often it raised an alarm: nothing else
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startReference, type Parts } from '../fixtures/reference/server.js';
import { EMBEDDED_PASSWORD_COST } from '../fixtures/setup/setup.js';
import { runOne } from './harness/in-process.js';
import { runRow, targetOf } from './matrix/run.js';
import { given, ROOT, runSuite } from './harness/command-line.js';
import { checkOut } from './harness/other-commit.js';
import { costOf, Meter, type Cost } from './harness/processor-time.js';
import { startProxy } from './harness/proxy.js';

/** The embedded target, asked as often as a run asks it, by `fetch`: so much is not the suite's. */
async function bareLoop(total: number, auth: number): Promise<number> {
  const reference = await startReference({ passwordCost: EMBEDDED_PASSWORD_COST.usual });
  const { owner } = reference.seeds;
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(reference.baseUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(body),
    });
  const started = performance.now();
  let pair = { access: '', refresh: '' };
  for (let i = 0; i < auth; i += 1) {
    pair = ((await (await post('auth/login/', owner)).json()) as { data: typeof pair }).data;
  }
  for (let i = 0; i < total - auth; i += 1) {
    if (i % 4 === 0) {
      pair = ((await (await post('auth/refresh/', { refresh: pair.refresh })).json()) as { data: typeof pair }).data;
    } else {
      const headers = { authorization: `Bearer ${pair.access}`, connection: 'close' };
      await (await fetch(`${reference.baseUrl}planner/keywords/`, { headers })).text();
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await reference.close();
  return seconds;
}

async function timingTrials(trials: number): Promise<void> {
  for (const [name, replace] of [
    ['constant time', (): Partial<Parts> => ({})],
    ['hasher for known users only', (): Partial<Parts> => ({ checkNobody: () => Promise.resolve() })],
  ] as const) {
    const verdicts = new Map<string, number>();
    for (let trial = 0; trial < trials; trial += 1) {
      const reference = await startReference({ replace });
      const { verdict } = await runOne('LOG-07', targetOf(reference));
      await reference.close();
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    console.log(`${name}: ${[...verdicts].map(([verdict, count]) => `${String(count)} ${verdict}`).join(', ')}`);
  }
}

const line = (name: string, value: string): void => {
  console.log(`${name.padEnd(66)} ${value}`);
};

const ratio = (one: number, other: number): string => (one / other).toFixed(2);
const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** A default run of the suite in some checkout, without a browser. */
async function defaultRun(root: string): Promise<Cost & { readonly requests: number }> {
  const meter = new Meter();
  const { report, output } = await runSuite(meter.env, [], { root });
  if (report === undefined) throw new Error(output);
  return { ...meter.read(), requests: report.requests.total };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Default runs of another commit and of this one in turn; which comes first changes from pair to pair. */
async function pairsWith(commit: string, pairs: number): Promise<void> {
  const other = checkOut(commit);
  try {
    const quotients: { processor: number; wall: number }[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const first = await defaultRun(pair % 2 === 0 ? other.root : ROOT);
      const second = await defaultRun(pair % 2 === 0 ? ROOT : other.root);
      const [before, now] = pair % 2 === 0 ? [first, second] : [second, first];
      const per = (of: 'processor' | 'wall'): number => now[of] / now.requests / (before[of] / before.requests);
      quotients.push({ processor: per('processor'), wall: per('wall') });
      line(
        `pair ${String(pair + 1)}: ${commit} and this, processor time`,
        `${seconds(before.processor)} for ${String(before.requests)} requests, ` +
          `${seconds(now.processor)} for ${String(now.requests)}`,
      );
    }
    for (const [of, name] of [
      ['processor', 'processor time'],
      ['wall', 'time by the clock'],
    ] as const)
      line(`${name} of a request, this / ${commit}`, median(quotients.map((one) => one[of])).toFixed(2));
  } finally {
    other.remove();
  }
}

const LATENCY_MS = 100;

/** A target without a limit whose responses take their time: how many requests are under way, and how long the run is for that. */
async function slowTarget(): Promise<void> {
  const reference = await startReference({ passwordCost: 16 });
  const seen = { underWay: 0, requests: 0, sum: 0, busy: 0, last: performance.now() };
  const changed = (by: 1 | -1): void => {
    const now = performance.now();
    seen.sum += seen.underWay * (now - seen.last);
    if (seen.underWay > 0) seen.busy += now - seen.last;
    seen.last = now;
    seen.underWay += by;
  };
  const proxy = await startProxy(reference.baseUrl, {
    before: async () => {
      seen.requests += 1;
      changed(1);
      await new Promise((resolve) => setTimeout(resolve, LATENCY_MS));
      changed(-1);
    },
  });
  const run = await runSuite({ ...given(reference), BASE_URL: `${proxy.origin}/api/v1/` });
  await proxy.close();
  await reference.close();
  if (run.report === undefined) throw new Error(run.output);
  const mean = seen.sum / seen.busy;
  const bound = (seen.requests * LATENCY_MS) / 1000 / mean;
  line(`${String(LATENCY_MS)} ms a response: requests under way, while any is`, mean.toFixed(1));
  line(
    '  the command / (requests × latency ÷ requests under way)',
    `${ratio(run.seconds, bound)}  (${seconds(run.seconds)} for ${String(seen.requests)} requests)`,
  );
}

async function innerLoop(): Promise<void> {
  const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
  const kill = await costOf([tsx, join(ROOT, 'selftest/matrix/main.ts'), 'REF-05'], ROOT);
  line('npm run kill -- REF-05: processor time / the 8 s that it may take', ratio(kill.processor, 8));
  const costs: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const meter = new Meter();
    await runSuite(meter.env, ['--grep', 'REF-05']);
    costs.push(meter.read().processor);
  }
  line('playwright test --grep REF-05: / the 4 s (median of three)', ratio(median(costs), 4));
}

async function bench(commit: string | undefined, pairs: number): Promise<void> {
  if (!(pairs >= 1)) throw new Error('--pairs is a number of pairs, 5 by default.');
  const run = await runSuite({});
  if (run.report === undefined) throw new Error(run.output);
  const { total, auth } = run.report.requests;
  const must = await runSuite({}, ['--grep', '@must']);
  const loop = await bareLoop(total, auth);
  await runRow(undefined);
  const warm = await runRow(undefined);
  line('requests of a default run', `${String(total)}, ${String(auth)} to login and register`);
  line(
    'requests of --grep @must',
    `${String(must.report?.requests.total)}, ${String(must.report?.requests.auth)} to login and register`,
  );
  line(
    'whole command / bare loop of as many requests',
    `${(run.seconds / loop).toFixed(1)}  (${seconds(run.seconds)} / ${seconds(loop)})`,
  );
  line('one row of the kill matrix / whole command', ratio(warm.ms / 1000, run.seconds));
  await slowTarget();
  await innerLoop();
  if (commit !== undefined) await pairsWith(commit, pairs);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'timing-trials': { type: 'string' }, pairs: { type: 'string' } },
});
const trials = Number(values['timing-trials'] ?? 0);
(trials > 0 ? timingTrials(trials) : bench(positionals[0], Number(values.pairs ?? 5))).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
