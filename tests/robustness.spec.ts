/**
 * Bad input: refused with a 4xx, never a 5xx, a hang or a dropped connection, and the server answers the next request. Whether the refusal
 * is in the envelope, ENV says of every answer.
 */
import { clause, expect } from '../fixtures/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check.js';
import {
  badRequest,
  CONTENT_TYPES,
  DEEP,
  deepTokens,
  endpointsOf,
  MALFORMED,
  ODD_CHARACTERS,
  VERY_LONG,
  WRONG_TYPES,
  type BadInput,
  type Endpoint,
} from '../fixtures/bad-input.js';
import { oddJson } from '../fixtures/api.js';
import { judgeBroken, judgeValid } from '../fixtures/bodies.js';
import { seenStatus } from '../fixtures/expect.js';
import { sameAddress } from '../fixtures/users.js';
import { aKeyword } from '../fixtures/resources.js';
import { everyAnswer, UNKNOWN_ROUTE } from '../fixtures/tour.js';
import { OPERATIONS } from '../spec/generated/operations.js';

/** After a table of bad input, one good request. */
async function stillHealthy(check: Check): Promise<void> {
  const { access } = await check.session();
  const reply = await check.door(access);
  if (reply.status !== 200) {
    throw new Finding(
      `after the bad input a good request is answered with ${seenStatus(reply)}, expected 200`,
      reply.exchange,
    );
  }
}

interface Row {
  readonly input: BadInput;
  readonly endpoint: Endpoint;
}

async function judge(check: Check, table: readonly BadInput[], statuses?: readonly number[]): Promise<void> {
  await check.opens((await check.session()).access);
  const rows: Row[] = table.flatMap((input) => endpointsOf(check, input).map((endpoint) => ({ input, endpoint })));
  await check.each(
    rows,
    ({ input, endpoint }) => `${endpoint} with ${input.name}`,
    async ({ input, endpoint }) => {
      const reply = await check.raw(await badRequest(check, input, endpoint));
      if (endpoint === 'register' && reply.status < 300) check.sender.accountsMade += 1;
      if (statuses === undefined) expect(reply).toBeRefused();
      else expect(reply).toHaveStatus(...statuses);
    },
  );
  await stillHealthy(check);
}

clause('ROB-01', (check) => judge(check, MALFORMED));

clause('ROB-02', (check) => judge(check, WRONG_TYPES));

clause('ROB-03', (check) => judge(check, CONTENT_TYPES, [400, 415]));

clause('ROB-04', (check) => judge(check, VERY_LONG));

clause('ROB-05', async (check) => {
  await judge(check, ODD_CHARACTERS);
  if (!check.target.register) return;
  const account = check.newAccount();
  const odd = { ...account, password: `${account.password}\u0007\u0001` };
  check.sender.secret(odd.password);
  const made = await check.raw(oddJson('POST', 'auth/register/', odd));
  expect(made, 'control characters in a password').toSatisfy(made.status < 500, 'anything but a 5xx', seenStatus(made));
  if (made.status >= 300) return;
  check.sender.accountsMade += 1;
  const login = await check.raw(oddJson('POST', 'auth/login/', { email: odd.email, password: odd.password }));
  expect(login, 'login with the control characters that register accepted').toHaveStatus(200);
});

clause('ROB-06', async (check) => {
  await judge(check, DEEP);
  await check.each(
    deepTokens(),
    ({ name }) => name,
    async ({ token }) => {
      const bearer = [['authorization', `Bearer ${token}`] as const];
      expect(await check.raw({ method: 'GET', path: 'planner/keywords/', headers: bearer }), 'as bearer').toBeRefused();
      expect(await check.raw(oddJson('POST', 'auth/refresh/', { refresh: token })), 'as refresh').toBeRefused();
    },
  );
  await check.each(
    ['{"refresh":"one","refresh":"two"}', '{"__proto__":{"refresh":"x"},"constructor":{"prototype":{"refresh":"x"}}}'],
    (body) => (body.includes('proto') ? '`__proto__` and `constructor` in place of `refresh`' : 'a member twice'),
    async (body) => {
      const reply = await check.raw({
        method: 'POST',
        path: 'auth/refresh/',
        headers: [['content-type', 'application/json']],
        body,
      });
      expect(reply).toBeRefused();
    },
  );
  if (check.target.write) {
    const { access } = await check.session();
    const { text, body } = aKeyword(check);
    const poisoned = JSON.stringify(body).replace(
      /^\{/,
      '{"__proto__":{"id":987654321},"constructor":{"id":987654321},',
    );
    const reply = await check.raw({
      method: 'POST',
      path: 'planner/keywords/',
      headers: [
        ['content-type', 'application/json'],
        ['authorization', `Bearer ${access}`],
      ],
      body: poisoned,
    });
    expect(reply, '`__proto__` and `constructor` beside a good keyword').toSatisfy(
      reply.status < 500 && !(reply.text.includes('987654321') && !reply.text.includes(text)),
      'refused, or without effect',
      seenStatus(reply),
    );
  }
  await stillHealthy(check);
});

clause('ROB-07', async (check) => {
  const { runs, seed } = check.target.fuzz;
  await check.opens((await check.session()).access);
  check.measure('seed', String(seed));
  // A twentieth on each of the two that are dear: one of twenty, unless FUZZ_RUNS says more.
  const dear = Math.max(1, Math.floor(runs / 20));
  await judgeBroken(check, 'refresh', runs);
  await judgeBroken(check, 'login', dear);
  if (check.target.register) await judgeBroken(check, 'register', dear);
  if (!check.target.write) return;
  const control = await check.api.createKeyword(aKeyword(check).body, await check.session());
  if (control.status >= 300) {
    check.measure('keywords', `left out: the good one is answered with ${seenStatus(control)}, see IGNY8_KEYWORD_BODY`);
    return;
  }
  await judgeBroken(check, 'createKeyword', runs);
  await judgeValid(check, Math.ceil(runs / 4));
});

clause('ROB-08', async (check) => {
  const { access } = await check.session();
  const rows = OPERATIONS.map(({ method, path }) => ({
    method,
    path: path.slice(1, -1).replace(/\{[^}]+\}/g, '1'),
  }));
  await check.each(
    rows,
    ({ method, path }) => `${method} ${path}`,
    async ({ method, path }) => {
      const reply = await check.raw(
        oddJson(method, path, method === 'POST' ? {} : undefined, [['authorization', `Bearer ${access}`]]),
      );
      expect(reply, 'without its last slash').toSatisfy(reply.status < 500, 'anything but a 5xx', seenStatus(reply));
    },
  );
});

/** Decomposed on purpose: a server that composes it gives back another text. */
const NAME = 'Jose\u0301_Ωμέγα_新しい_😀';

clause('ROB-09', async (check) => {
  const account = check.newAccount();
  const odd = { ...account, username: `${NAME}_${account.username.slice(-6)}` };
  const made = await check.api.register(odd);
  if (made.status >= 400 && made.status !== 400)
    throw new Blocked('REG-01', `register answers with ${seenStatus(made)}`);
  if (made.status === 400) {
    check.measure('such a user name', `refused (${String(made.status)})`);
    return;
  }
  const { user: atLogin, reply } = await check.login(odd);
  if (!sameAddress(atLogin['email'], odd.email))
    throw new Blocked('LOG-03', 'login shows another user than the one registered');
  const atRegister = (made.data?.['user'] as Record<string, unknown> | undefined)?.['username'];
  if (atRegister === undefined) throw new Blocked('REG-02', 'register does not give the user name back');
  if (atLogin['username'] === undefined) throw new Blocked('LOG-02', 'login does not give the user name back');
  const mangled = [atRegister !== odd.username && 'register', atLogin['username'] !== odd.username && 'login'].filter(
    (place) => place !== false,
  );
  expect(reply, 'the user name').toSatisfy(mangled.length === 0, 'unchanged', `changed at ${mangled.join(' and ')}`);
});

clause('ROB-10', { phase: 'every-response' }, async (check) => {
  await check.raw({ method: 'GET', path: `${UNKNOWN_ROUTE}%00'"<` });
  const errors = (await everyAnswer(check)).filter(({ status }) => status >= 400);
  if (errors.length === 0) throw new Unverified('No error was seen in this run.');
  check.every(errors, ({ internals }) => (internals === undefined ? undefined : `${internals} is in it`));
});
