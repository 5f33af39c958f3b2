/** Swagger UI as a reader of the guide uses it: Authorize, try a request out, log out, try again. */
import type { Locator, Page } from '@playwright/test';
import { Blocked, Finding, Unverified, type Check } from '../../../fixtures/check/check.js';
import { maskText } from '../../../fixtures/evidence/secrets.js';
import { keepAtHome } from '../../../fixtures/run/carried-page.js';
import { wayTo } from '../../../fixtures/run/target.js';

/** Milliseconds that the page has for each step: opening it takes several responses, and a busy machine starts a browser slowly. */
const STEP_MS = 30_000;

/** One step of a person; what Playwright says of a step that fails may quote the page, and the page shows the token. */
async function step<T>(what: string, take: () => Promise<T>): Promise<T> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof Finding) throw error;
    throw new Finding(`Swagger UI: ${what} did not work within ${String(STEP_MS / 1000)} s`);
  }
}

async function seenStatus(operation: Locator): Promise<string> {
  const cell = operation.locator('.live-responses-table tr.response .response-col_status').first();
  await cell.waitFor({ timeout: STEP_MS });
  return /\d{3}/.exec((await cell.textContent()) ?? '')?.[0] ?? 'none';
}

async function authorizeDialog(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: 'Authorize' }).first().click({ timeout: STEP_MS });
  const dialog = page.locator('.modal-ux');
  await dialog.waitFor({ timeout: STEP_MS });
  return dialog;
}

/** Its name for assistive technology is another one than its text. */
function logout(scheme: Locator): Locator {
  return scheme.locator('button').filter({ hasText: 'Logout' }).first();
}

/** How the dialog shows a bearer scheme, and one that is a header named `Authorization`, which wants the word `Bearer` as well. */
const HTTP_BEARER = /\(http,\s*bearer\)/i;
const AUTHORIZATION_HEADER = /name:\s*authorization\s*in:\s*header/i;

/** Where the dialog takes the token: the frameworks list all their schemes, basic and cookies among them, in any order. */
async function bearerScheme(dialog: Locator): Promise<{ readonly scheme: Locator; readonly prefix: string }> {
  const schemes = dialog.locator('.auth-container').filter({ has: dialog.page().locator('input') });
  const bearer = schemes.filter({ hasText: HTTP_BEARER });
  if ((await bearer.count()) > 0) return { scheme: bearer.first(), prefix: '' };
  const header = schemes.filter({ hasText: AUTHORIZATION_HEADER });
  if ((await header.count()) > 0) return { scheme: header.first(), prefix: 'Bearer ' };
  return { scheme: dialog, prefix: '' };
}

/** Opens the groups of operations: a page may begin with all of them closed. */
async function openGroups(page: Page): Promise<void> {
  const closed = page.locator('.swagger-ui .opblock-tag[data-is-open="false"]');
  for (let left = await closed.count(); left > 0; left -= 1) await closed.first().click();
}

/** DOC-01. */
export async function judgeSwaggerUi(check: Check): Promise<void> {
  const open = check.services.browser;
  if (open === undefined) throw new Unverified('There is no browser in this run.');
  // A token of its own: the page shows it in a cURL line.
  const { access } = await check.login();
  await check.expectAuthorized(access);
  const browser = await open();
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const elsewhere = new Set<string>();
  const home = new Set([new URL(check.target.docsUrl).origin, new URL(check.target.baseUrl).origin]);
  try {
    await keepAtHome(page, wayTo(check.target), home, elsewhere);
    const shown = async (name: string): Promise<void> => {
      if (check.services.attach === undefined) return;
      // The picture must not show what the text must not: the cURL line, the dialog's field, and what a response may quote.
      const mask = [
        page.locator('.curl-command, .curl, .request-url'),
        page.locator('.modal-ux input, .modal-ux code'),
      ];
      const body = await page.screenshot({ mask, maskColor: '#888888', timeout: STEP_MS }).catch(() => undefined);
      if (body !== undefined) await check.services.attach(name, 'image/png', body);
    };

    const answer = await step('opening the page', () =>
      page.goto(check.target.docsUrl, { waitUntil: 'domcontentloaded', timeout: STEP_MS }),
    );
    if (answer === null || answer.status() >= 400) {
      throw new Finding(`GET of the documentation page: expected 200, got ${String(answer?.status() ?? 'nothing')}`);
    }
    const swagger = page.locator('.swagger-ui .opblock').first();
    const groups = page.locator('.swagger-ui .opblock-tag');
    const appeared = await groups
      .first()
      .waitFor({ timeout: STEP_MS })
      .then(() => openGroups(page))
      .then(() => swagger.waitFor({ timeout: STEP_MS }))
      .then(
        () => true,
        () => false,
      );
    if (!appeared) {
      const third =
        elsewhere.size > 0
          ? ` (it asks ${maskText([...elsewhere].join(', '))} for files, which this check blocks)`
          : '';
      throw new Finding(`the page shows no operations of Swagger UI within ${String(STEP_MS / 1000)} s${third}`);
    }

    await step('Authorize with a bearer token', async () => {
      const dialog = await authorizeDialog(page);
      const { scheme, prefix } = await bearerScheme(dialog);
      await scheme.locator('input').first().fill(`${prefix}${access}`);
      await scheme
        .getByRole('button', { name: /^(Apply credentials|Authorize)/ })
        .first()
        .click();
      await logout(dialog).waitFor({ timeout: STEP_MS });
      await shown('swagger-ui-authorized.png');
      await dialog.getByRole('button', { name: 'Close' }).first().click();
    });

    const operation = page
      .locator('.opblock-get')
      .filter({ has: page.locator('[data-path$="planner/keywords/"]') })
      .first();
    await step('opening GET planner/keywords/', async () => {
      await operation.locator('.opblock-summary-control').first().click();
      const tryOut = operation.getByRole('button', { name: /Try it out/ });
      const execute = operation.getByRole('button', { name: 'Execute' });
      await tryOut.or(execute).first().waitFor({ timeout: STEP_MS });
      if (await tryOut.isVisible()) await tryOut.click();
      await execute.waitFor({ timeout: STEP_MS });
    });
    const execute = async (): Promise<string> => {
      const answered = page.waitForResponse((response) => response.url().includes('/planner/keywords/'), {
        timeout: STEP_MS,
      });
      await operation.getByRole('button', { name: 'Execute' }).click();
      const status = String((await answered).status());
      await operation
        .locator('.live-responses-table')
        .filter({ hasText: status })
        .first()
        .waitFor({ timeout: STEP_MS });
      return seenStatus(operation);
    };
    const authorised = await step('executing GET planner/keywords/', execute);
    await shown('swagger-ui-executed.png');
    if (authorised !== '200') {
      throw new Finding(`a protected request sent from the page after Authorize: expected 200, got ${authorised}`);
    }

    await step('Logout', async () => {
      const dialog = await authorizeDialog(page);
      await logout(dialog).click();
      await dialog.getByRole('button', { name: 'Close' }).first().click();
    });
    const anonymous = await step('executing GET planner/keywords/ after Logout', execute);
    if (anonymous === '403') throw new Blocked('UNA-01', 'missing credentials get 403');
    if (anonymous === '200') throw new Blocked('UNA-01', 'the route opens without credentials');
    if (anonymous !== '401') throw new Finding(`the same request after Logout: expected 401, got ${anonymous}`);
    if (elsewhere.size > 0)
      check.measure('other hosts that the page asks, blocked here', maskText([...elsewhere].join(', ')));
  } finally {
    await context.close();
  }
}
