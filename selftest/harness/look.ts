/** Looks at a page of a report as a reader's browser shows it. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';

/**
 * What axe finds on the page, each with the first place: empty is as it should be.
 * @param rules all of them, or only those about colours, for a page that was looked at whole in another scheme
 */
export async function axeFindings(page: Page, rules: 'all' | 'colours'): Promise<readonly string[]> {
  const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  // Past the page's own policy, which lets no script in.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const chosen = rules === 'all' ? '{}' : '{ runOnly: ["color-contrast"] }';
  const told = `({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html)`;
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(${chosen}).then(${told})`,
    awaitPromise: true,
    returnByValue: true,
  });
  return result.value as string[];
}

/** Pixels by which the page is wider than its window. */
export async function sidewaysScrolling(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

/** Pages of a printed document. */
export async function printedPages(page: Page): Promise<number> {
  const paper = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  return paper.match(/\/Type \/Page\b/g)?.length ?? 0;
}
