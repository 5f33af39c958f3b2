/**
 * `npm run bench -- --timing-trials 50`: LOG-07 so many times against the embedded target as it is, and with a hasher that runs for known
 * users only; prints how often it raised an alarm.
 *
 * `npm run bench`: what the suite costs beside bare requests. Ratios in one run; absolute times differ from machine to machine.
 * The bare loop sends as many requests of the same kinds (logins, refreshes, lists) to the same kind of target, one after another.
 */
import { parseArgs } from 'node:util';
import { startReference, type Parts } from '../fixtures/reference/server.js';
import { runOne } from './harness/in-process.js';
import { runRow, targetOf } from './matrix/run.js';
import { runSuite } from './harness/command-line.js';

async function bareLoop(total: number, auth: number): Promise<number> {
  const reference = await startReference();
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

async function bench(): Promise<void> {
  const run = await runSuite({});
  if (run.report === undefined) throw new Error(run.output);
  const { total, auth } = run.report.requests;
  const must = await runSuite({}, ['--grep', '@must']);
  const loop = await bareLoop(total, auth);
  await runRow(undefined);
  const warm = await runRow(undefined);
  const line = (name: string, value: string): void => {
    console.log(`${name.padEnd(66)} ${value}`);
  };
  line('requests of a default run', `${String(total)}, ${String(auth)} to login and register`);
  line(
    'requests of --grep @must',
    `${String(must.report?.requests.total)}, ${String(must.report?.requests.auth)} to login and register`,
  );
  line(
    'whole command / bare loop of as many requests',
    `${(run.seconds / loop).toFixed(1)}  (${run.seconds.toFixed(1)} s / ${loop.toFixed(1)} s)`,
  );
  line('one row of the kill matrix / whole command', (warm.ms / 1000 / run.seconds).toFixed(2));
}

const { values } = parseArgs({ options: { 'timing-trials': { type: 'string' } } });
const trials = Number(values['timing-trials'] ?? 0);
void (trials > 0 ? timingTrials(trials) : bench());
