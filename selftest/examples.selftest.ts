import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, expect, test } from '@playwright/test';
import { findBrowser } from '../fixtures/run/browser.js';
import { html } from '../report/outputs/escape.js';
import { CLAUSES } from '../spec/generated/clauses.js';
import { ROOT } from './harness/command-line.js';
import { examplePath, examples, LARGEST_EXAMPLE } from './harness/examples.js';
import { axeFindings, printedPages, sidewaysScrolling } from './harness/look.js';

const source = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A clause's place on the page: its id, level and statement, and its verdict by the mark in the strip. */
function marks(page: string): Map<string, string> {
  const strip = /<nav class="strip"[^]*?<\/nav>/.exec(page)?.[0] ?? '';
  return new Map(
    [...strip.matchAll(/<a class="(\w+)" href="#(\w{3}-\d\d)"/g)].map(([, verdict = '', id = '']) => [id, verdict]),
  );
}

// Times, ids and tokens differ in each run: what an example shows of the suite as it is does not.
for (const { file, fails } of examples()) {
  test(`docs/examples/${file} is of this suite (if not: npm run examples)`, () => {
    const page = readFileSync(examplePath(file), 'utf8');
    expect(page.length).toBeLessThan(LARGEST_EXAMPLE);
    const { version } = JSON.parse(source('package.json')) as { version: string };
    expect(page).toContain(`<dd>version ${version}`);
    expect(page).toContain(source('report/outputs/report.css'));
    expect(page).toContain(source('report/outputs/report.client.js'));

    const found = marks(page);
    expect([...found.keys()]).toEqual(CLAUSES.map(({ id }) => id));
    for (const { statement } of CLAUSES)
      expect(page).toContain(html(statement).replace(/`([^`]+)`/g, '<code>$1</code>'));
    const of = (...verdicts: string[]): string[] =>
      [...found].filter(([, one]) => verdicts.includes(one)).map(([id]) => id);
    expect(of('failed', 'noted').toSorted()).toEqual(fails.toSorted());
    expect(of('passed').length).toBeGreaterThan(CLAUSES.length / 2);
    if (fails.length === 0) expect(of('blocked')).toEqual([]);
  });

  test(`docs/examples/${file} holds no token and no password`, () => {
    const page = readFileSync(examplePath(file), 'utf8');
    expect(page).not.toMatch(/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40}/);
    expect(page).toContain('«password»');
  });

  test(`docs/examples/${file} reads well at each width, in each scheme and on paper`, async () => {
    const found = findBrowser();
    // eslint-disable-next-line playwright/no-skipped-test -- without a browser there is nothing to look with
    test.skip(found === undefined, 'no browser on this machine: `npx playwright install chromium`');
    const browser = await chromium.launch(found?.launchOptions ?? {});
    for (const width of [1280, 390]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
        await page.goto(pathToFileURL(examplePath(file)).href);
        const as = `${String(width)} px, ${colorScheme}`;
        // Everything at both widths and in both schemes, but not all four together: axe takes its time.
        if (fails.length > 0)
          expect(
            await axeFindings(page, (width === 1280) === (colorScheme === 'light') ? 'all' : 'colours'),
            as,
          ).toEqual([]);
        expect(await sidewaysScrolling(page), as).toBeLessThanOrEqual(0);
        await page.close();
      }
    }
    const page = await browser.newPage();
    await page.goto(pathToFileURL(examplePath(file)).href);
    expect(await printedPages(page)).toBeLessThanOrEqual(12);
    await browser.close();
  });
}
