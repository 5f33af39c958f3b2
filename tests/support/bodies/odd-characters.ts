/** What a server may make of odd characters: in passwords, and in headers (ROB-05). */
import { type Check, Blocked } from '../../../fixtures/check/check.js';
import type { Credentials } from '../../../fixtures/run/target.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** Milliseconds between two looks, and how often: a replica may lag behind what was just written. */
const LOOK_AGAIN_MS = 500;

const LOOKS = 6;

/** A login of somebody registered a moment ago: repeated until the account exists. */
async function loginOfNew(check: Check, credentials: Credentials): Promise<Reply> {
  for (let look = 1; ; look += 1) {
    const reply = await check.raw(check.api.request('login', credentials));
    if (reply.status < 400 || reply.status >= 500 || look === LOOKS) return reply;
    await check.sleep(LOOK_AGAIN_MS);
  }
}

export async function oddPassword(check: Check): Promise<void> {
  const account = check.newAccount();
  const odd = { ...account, password: `${account.password}\u0007\u0001` };
  check.sender.secret(odd.password);
  const made = await check.raw(check.api.request('register', check.api.registration(odd)));
  expect(made, 'register').toBeNoServerError();
  if (made.status >= 300) return;
  const login = await loginOfNew(check, { email: odd.email, password: odd.password });
  if (login.status >= 200 && login.status < 300) return;
  // The control: whoever registers here gets in at all, without a confirmation.
  const plain = await check.registerAccount();
  const control = await loginOfNew(check, { email: plain.email, password: plain.password });
  if (control.status >= 400)
    throw new Blocked('REG-04', `nobody who registered can log in: ${seenStatus(control)}`, control.exchange);
  expect(login, 'login with the control characters that register accepted').toHaveStatus(200);
}

/** Half a surrogate pair in the password of somebody whom the target knows: of a stranger it would not come to the hash. */
export async function surrogateInPassword(check: Check): Promise<void> {
  const { email, password } = await check.accounts.ownAccount();
  const body = JSON.stringify({ email, password: '…' }).replace('…', () => `${password}\\ud800`);
  const headers = [['content-type', 'application/json'] as const];
  const reply = await check.raw({ method: 'POST', path: check.api.path('login'), headers, body, mayLock: true });
  expect(reply, 'login').toBeRefused();
}

/** Bytes that are no UTF-8, in headers that a server reads. */
export async function oddHeader(check: Check, name: string): Promise<void> {
  const value = Buffer.from([0xc3, 0x28, 0xff]).toString('latin1');
  const headers = [[name, `${name === 'authorization' ? 'Bearer ' : ''}${value}`] as const];
  const reply = await check.raw({ method: 'GET', path: check.api.path('listKeywords'), headers });
  expect(reply, 'the response').toBeNoServerError();
}
