/** The right credentials in another type than string (ROB-02). */
import { type Check, Unverified } from '../../../fixtures/check/check.js';
import { type Judged, Victims } from './accounts.js';
import { randomInt } from 'node:crypto';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';

/** The right credentials in another type: a server that makes a string of whatever it gets would log in. */
export function rightButOfAnotherType(check: Check): Judged[] {
  const victims = new Victims(check);
  const attempt = async (wrong: Parameters<Victims['attempt']>[0]): Promise<void> => {
    const { reply } = await victims.attempt(wrong);
    expect(reply, 'login').toBeRefused();
  };
  const digits = async (): Promise<void> => {
    const account = { ...check.newAccount(), password: `7${String(randomInt(10 ** 12)).padStart(12, '0')}` };
    check.sender.secret(account.password);
    const made = await check.raw(check.api.request('register', check.api.registration(account)));
    if (made.status >= 300) throw new Unverified(`A password of digits alone is refused here: ${seenStatus(made)}.`);
    const { email, password } = account;
    const control = await check.raw(check.api.request('login', { email, password }));
    if (control.status !== 200) throw new Unverified(`It cannot log in as it is: ${seenStatus(control)}.`);
    const reply = await check.raw(check.api.request('login', { email, password: Number(password) }));
    expect(reply, 'login').toBeRefused();
  };
  return [
    {
      name: 'login with the right password in an array',
      judge: () => attempt(({ email, password }) => ({ email, password: [password] })),
    },
    {
      name: 'login with the right e-mail in an array',
      judge: () => attempt(({ email, password }) => ({ email: [email], password })),
    },
    {
      name: 'login with an operator for a password',
      judge: () => attempt(({ email }) => ({ email, password: { $ne: '' } })),
    },
    {
      name: 'login with the right password in an object',
      judge: () => attempt(({ email, password }) => ({ email, password: { password } })),
    },
    ...(check.accounts.canRegister ? [{ name: 'login with the right password as a number', judge: digits }] : []),
  ];
}
