/** The pictures of docs/images, taken of the drifted example's run. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from '@playwright/test';
import { findBrowser } from '../../fixtures/run/browser.js';
import { ROOT } from './command-line.js';

const picture = (name: string): string => join(ROOT, 'docs/images', name);

/**
 * @param report report.html, as it is among the examples
 * @param playwright index.html of Playwright's own report of the same run
 * @param id a clause that failed in it
 * @throws Error if there is no browser
 */
export async function takePictures(report: string, playwright: string, id: string): Promise<void> {
  const found = findBrowser();
  if (found === undefined) throw new Error('Pictures need a browser: `npx playwright install chromium`.');
  const browser = await chromium.launch(found.launchOptions);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1130 } });
    await page.goto(pathToFileURL(report).href);
    await page.screenshot({ path: picture('report.png') });

    await page.setViewportSize({ width: 1000, height: 900 });
    await page.goto(pathToFileURL(playwright).href);
    await page.getByRole('link', { name: id }).first().click();
    await page.getByText('Errors', { exact: true }).waitFor();
    // Paths of the machine that the picture is taken on say nothing to a reader.
    await page.evaluate((root) => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (texts.nextNode() !== null) {
        const { currentNode: node } = texts;
        node.textContent = (node.textContent ?? '').replaceAll(root, '');
      }
    }, `${ROOT}/`);
    await page.screenshot({ path: picture('playwright.png') });
  } finally {
    await browser.close();
  }
}
