/**
 * `npm run bench`: what the suite costs beside bare requests. Ratios in one run; absolute times differ from machine to machine.
 * The bare loop sends as many requests of the same kinds (logins, refreshes, lists) to the same kind of target, one after another.
 */
import { startReference } from '../fixtures/reference/index.js';
import { runRow } from './kill/run.js';
import { runSuite } from './suite.js';

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

const run = await runSuite({ CHROMIUM_PATH: '/nowhere' });
if (run.report === undefined) throw new Error(run.output);
const { total, auth } = run.report.requests;
const must = await runSuite({ CHROMIUM_PATH: '/nowhere' }, ['--grep', '@must']);
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
