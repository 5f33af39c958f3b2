import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test } from '@playwright/test';
import { findBrowser } from '../fixtures/run/browser.js';
import { startReference, type Parts, type ReferenceOptions } from '../fixtures/reference/server.js';
import { Refusal } from '../fixtures/reference/behaviour.js';
import { maskField, maskText, remember } from '../fixtures/evidence/secrets.js';
import { scanArtefacts } from '../report/scan.js';
import { axeFindings, sidewaysScrolling } from './harness/look.js';
import { startProxy } from './harness/proxy.js';
import { given, runSuite, type SuiteRun } from './harness/command-line.js';

const KEY = 'canary-signing-key-4b1d9e77-not-to-be-seen';

/** Runs the suite against a target whose every secret is noted, and says which files or streams hold one. */
async function leaks(
  options: ReferenceOptions,
  env: Record<string, string> = {},
  args: readonly string[] = [],
): Promise<{ run: SuiteRun; found: string[] }> {
  const canaries = new Set<string>([KEY]);
  const reference = await startReference({
    passwordCost: 16,
    jwtSecret: KEY,
    ...options,
    replace: (parts, store) => ({
      sign: (claims, kind) => {
        const token = parts.sign(claims, kind);
        // The whole, and the signature by itself: a forged token may carry it.
        canaries.add(token).add(token.split('.')[2] ?? token);
        return token;
      },
      hashPassword: (password) => {
        if (password.length >= 12) canaries.add(password);
        return parts.hashPassword(password);
      },
      ...options.replace?.(parts, store),
    }),
  });
  const { owner, viewer } = reference.seeds;
  canaries.add(owner.password).add(viewer.password);
  const run = await runSuite({ ...given(reference), CI: '1', ...env }, args);
  await reference.close();
  // The suite's own scan is the last net: nothing may get as far.
  expect(run.output).not.toMatch(/removed/);
  writeFileSync(join(run.folder, 'console.txt'), run.output);
  return { run, found: (await scanArtefacts([run.folder], [...canaries])).map(({ file }) => file) };
}

/** A target with three defects: no challenge, a spent token answered with 400, and 200 instead of 201. */
const threeDefects = (parts: Parts): Partial<Parts> => ({
  present: (answer) => {
    const { 'WWW-Authenticate': _, ...headers } = answer.headers;
    return { ...answer, headers };
  },
  spend: async (claims) => {
    const chain = await parts.spend(claims);
    if (chain === undefined) throw new Refusal(400, 'Token is blacklisted');
    return chain;
  },
  register: async (context) => ({ ...(await parts.register(context)), status: 200 }),
});

test.describe('what a whole run leaves behind', () => {
  // Both look at one run.
  test.describe.configure({ mode: 'default' });

  let once: ReturnType<typeof leaks> | undefined;
  /** The whole suite, with all that a run can leave behind. */
  function threeFailures(): ReturnType<typeof leaks> {
    return (once ??= leaks({ replace: threeDefects }));
  }

  test('all clauses, most passed and some failed: no secret in any artefact', async () => {
    const { run, found } = await threeFailures();
    expect(run.exitCode, run.output).toBe(1);
    expect(run.report?.totals.passed).toBeGreaterThan(115);
    expect(readdirSync(join(run.folder, 'report')).sort()).toContain('junit.xml');
    expect(found).toEqual([]);
  });

  test('report.html reads well in a browser: no script needed, nothing fetched, accessible', async () => {
    const browserAt = findBrowser();
    // eslint-disable-next-line playwright/no-skipped-test -- without a browser there is nothing to look with
    test.skip(browserAt === undefined, 'no browser on this machine: `npx playwright install chromium`');
    const { run } = await threeFailures();
    const file = join(run.folder, 'report', 'report.html');
    expect(statSync(file).size).toBeLessThan(1e6);
    const browser = await chromium.launch(browserAt?.launchOptions ?? {});
    const asked: string[] = [];
    for (const [name, options] of Object.entries({
      light: { viewport: { width: 1100, height: 900 } },
      dark: { viewport: { width: 1100, height: 900 }, colorScheme: 'dark' as const },
      phone: { viewport: { width: 375, height: 800 } },
      'no script': { javaScriptEnabled: false },
    })) {
      const page = await browser.newPage(options);
      const wrong: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => wrong.push(message.text()));
      page.on('pageerror', (error) => wrong.push(error.message));
      await page.goto(`file://${file}#REF-13`);
      await expect(page.locator('h1')).toContainText('not conform');
      await expect(page.locator('#REF-13')).toBeVisible();
      await expect(page.locator('body')).toContainText('UNA-12');
      expect(wrong, name).toEqual([]);
      if (name !== 'no script')
        expect(await sidewaysScrolling(page), `${name}: sideways scrolling`).toBeLessThanOrEqual(0);
      if (name === 'light' || name === 'dark')
        expect(await axeFindings(page, name === 'light' ? 'all' : 'colours'), name).toEqual([]);
      await page.close();
    }
    await browser.close();
    expect([...new Set(asked.map((url) => new URL(url).protocol))].filter((protocol) => protocol !== 'data:')).toEqual([
      'file:',
    ]);
  });
});

test('answers that show passwords and tokens, and checks that fail for it', async () => {
  const { run, found } = await leaks(
    {
      replace: (parts) => ({
        errorEnvelope: (refusal, id, context) => ({
          ...parts.errorEnvelope(refusal, id, context),
          // What the worst debug page would show: the request, headers and body.
          error: `${refusal.error} ${context.rawBody.toString()} ${JSON.stringify(context.headers)}`,
          debug: { authorization: context.headers['authorization'], body: context.rawBody.toString() },
        }),
        successEnvelope: (outcome, id, context) => ({
          ...parts.successEnvelope(outcome, id, context),
          echo: context.rawBody.toString(),
          encoded: context.rawBody.toString('base64'),
        }),
      }),
    },
    {},
    ['--grep', 'REG-0[149]|LOG-0[1246]|REF-0[15]|UNA-02|ENV-0[69]'],
  );
  expect(run.exitCode).toBe(1);
  expect(found).toEqual([]);
});

test('connections that break, with credentials on their way', async () => {
  let asked = 0;
  const { run, found } = await leaks(
    {
      replace: (parts) => ({
        // Two answers take longer than an exchange may.
        listKeywords: async (context) => {
          asked += 1;
          if (asked === 5 || asked === 8) await new Promise((resolve) => setTimeout(resolve, 10_500).unref());
          return parts.listKeywords(context);
        },
      }),
    },
    {},
    ['--grep', 'UNA-0[13]|JRN-01|FOR-06'],
  );
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/no response within 10 s/);
  expect(found).toEqual([]);
});

test('a server that is gone in the middle', async () => {
  const reference = await startReference({ passwordCost: 16, jwtSecret: KEY });
  const { owner } = reference.seeds;
  const canaries = [KEY, owner.password];
  let asked = 0;
  const proxy = await startProxy(reference.baseUrl, {
    instead: (request) => {
      asked += 1;
      if (asked <= 16) return false;
      request.socket.destroy();
      return true;
    },
    answered: (_, __, body) => canaries.push(...(body.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? [])),
  });
  const run = await runSuite(
    {
      BASE_URL: `${proxy.origin}/api/v1/`,
      IGNY8_EMAIL: owner.email,
      IGNY8_PASSWORD: owner.password,
      IGNY8_JWT_SECRET: KEY,
    },
    ['--grep', 'LOG-0[1-3]|UNA-|REF-0'],
  );
  await proxy.close();
  await reference.close();
  writeFileSync(join(run.folder, 'console.txt'), run.output);
  expect(run.exitCode).toBe(1);
  expect(run.report?.verdict).not.toBe('conformant');
  expect(run.output).toMatch(/gave no response 12 times in a row/);
  expect(await scanArtefacts([run.folder], canaries)).toEqual([]);
});

test("with somebody else's reporters nothing is recorded that has to be cleaned", async () => {
  const { found } = await leaks({}, {}, ['--grep', 'LOG-0[1-3]|REF-0[15]', '--reporter=json,html,line']);
  expect(found).toEqual([]);
});

test('the scan finds what was planted: as it is, encoded, and in archives', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'scan-'));
  const secret = 'planted-password-77aa';
  const spellings = [
    secret,
    encodeURIComponent(`${secret}ü`),
    Buffer.from(`x${secret}y`).toString('base64'),
    JSON.stringify({ secret }),
  ];
  for (const [i, text] of spellings.entries()) writeFileSync(join(folder, `${i}.txt`), `before ${text} after`);
  writeFileSync(join(folder, 'clean.txt'), 'nothing here');
  const finds = await scanArtefacts([folder], [secret, `${secret}ü`]);
  expect(finds).toHaveLength(spellings.length);
  expect(readdirSync(folder)).toContain('clean.txt');
});

test('masks by name, by shape and by value', () => {
  remember('hunter2-canary', 'password');
  const [header, payload] = ['{"alg":"HS256"}', '{"user_id":1}'].map((part) => Buffer.from(part).toString('base64url'));
  const token = `${header ?? ''}.${payload ?? ''}.c2lnbmF0dXJl`;
  for (const text of [
    'hunter2-canary',
    encodeURIComponent('hunter2-canary'),
    `Authorization: Bearer ${token}`,
    `{"password":"some other one"}`,
    `?token=${token}`,
    `x${Buffer.from('hunter2-canary').toString('base64')}x`,
  ]) {
    expect(maskText(text), text).not.toMatch(/hunter2-canary|some other one|c2lnbmF0dXJl|aHVudGVyMi1jYW5h/);
  }
  expect(maskField('refresh', 'an-opaque-token-of-somebody')).not.toContain('opaque');
  expect(maskField('cookie', 'sessionid=abcdef123456')).not.toContain('abcdef');
  expect(maskText('nothing secret here')).toBe('nothing secret here');
});
