/** Cookies together with a bearer token: they change nothing (JRN-08). */
import type { Check } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { type OtherTenant, aKeyword } from './resources.js';
import { cookiesOf } from './channels.js';
import { idOf, exactPayload } from '../responses/exact.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { Blocked } from '../../../fixtures/check/findings.js';

interface Cookies {
  readonly name: string;
  readonly cookies: string;
}

/** The cookies that register, login and refresh set; those of another user too, where this run knows one. */
export async function cookiesToSend(
  check: Check,
  login: Reply,
  refresh: Reply,
  other: OtherTenant | undefined,
): Promise<Cookies[]> {
  // Where a user has one session, a login of the other would end the one that other checks use.
  const single = check.target.dialect.sessions !== 'many';
  const theirs = other === undefined || single ? '' : cookiesOf((await check.login(other.credentials)).reply);
  const register = check.accounts.canRegister ? cookiesOf((await check.firstRegistration()).reply) : '';
  return [
    { name: 'its own cookies', cookies: cookiesOf(login) },
    { name: 'its own cookies of refresh', cookies: cookiesOf(refresh) },
    { name: "another user's cookies", cookies: theirs },
    { name: "another user's cookies of register", cookies: register },
  ].filter(({ cookies }) => cookies !== '');
}

/** Writes with cookies: what comes of them is the bearer token's user's own. */
export async function judgeWritesBeside(
  check: Check,
  access: string,
  cookie: readonly [string, string],
  write: Reply,
): Promise<void> {
  const headers = [cookie];
  const { text, body } = aKeyword(check);
  const made = await check.api.createKeyword(body, { access, headers });
  expect(made, 'a write').toHaveStatus(write.status);
  const id = idOf(exactPayload(made));
  if (id === undefined) return;
  const row = { id, text, path: check.api.path('getKeyword', id) };
  const read = (): Promise<Reply> => check.api.getResource(row.path, { access });
  const plain = await read();
  expect(plain, "the new row, read by the bearer token's user").toSatisfy(
    plain.status === 200 && plain.text.includes(text),
    'there',
    seenStatus(plain),
  );
  expect(await check.api.getResource(row.path, { access, headers }), 'the same, with the cookies').toHaveStatus(200);
  for (const method of ['PATCH', 'PUT', 'DELETE']) {
    const change = method === 'DELETE' ? undefined : aKeyword(check);
    const reply = await check.raw(jsonRequest(method, row.path, change?.body, { access, headers }));
    // What the target does not have, it does not have with cookies either: the same without them shows it.
    if (reply.status >= 400) {
      const without = await check.raw(jsonRequest(method, row.path, change?.body, { access }));
      expect(reply, method).toHaveStatus(without.status);
    } else if (change !== undefined) {
      const after = await read();
      expect(after, `the row after ${method}`).toSatisfy(
        after.text.includes(change.text),
        'changed',
        'as it was before',
      );
    }
  }
}

/** The list is that of the bearer token's user. */
export function expectOwnList(list: Reply, other: OtherTenant | undefined, what: string): void {
  expect(list, what).toHaveStatus(200);
  expect(list, what).toSatisfy(
    other?.keyword === undefined || !list.text.includes(other.keyword.text),
    'that of the bearer token',
    "the other user's",
  );
}

/**
 * The control: the token and its refresh work without cookies.
 * @returns the response to the refresh
 * @throws Blocked by the clause that owns what does not work
 */
export async function worksWithoutCookies(check: Check, access: string, refresh: () => Promise<Reply>): Promise<Reply> {
  const opened = await check.askProtected(access);
  if (opened.status !== 200) throw new Blocked('JRN-01', `without cookies: ${seenStatus(opened)}`);
  const refreshed = await refresh();
  if (refreshed.status !== 200) throw new Blocked('REF-01', `without cookies: ${seenStatus(refreshed)}`);
  return refreshed;
}

/** @throws Blocked by UNA-11 where cookies let in by themselves */
export async function opensNothingAlone(check: Check, cookie: readonly [string, string]): Promise<void> {
  const alone = await check.api.listKeywords({ headers: [cookie] });
  if (alone.status === 200) throw new Blocked('UNA-11', 'the cookies alone open the list', alone.exchange);
}
