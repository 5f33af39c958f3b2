import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Account, type Check, type Session } from '../fixtures/check/check.js';
import { oddJson } from '../fixtures/check/api.js';
import { pathOf } from '../fixtures/run/dialect.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { firstSession } from './support/lifetimes.js';
import { BoundedTransport } from '../fixtures/http/raw-transport.js';
import { keepingAgent } from '../fixtures/http/way.js';
import { wayTo } from '../fixtures/run/target.js';
import { Reply } from '../fixtures/evidence/reply.js';
import { timingSideChannel } from './support/timing.js';
import { otherTenant } from './support/resources.js';
import { decode, encodePart, resign } from '../fixtures/evidence/jwt.js';
import { passwordTrace } from '../fixtures/evidence/secrets.js';
import { ROLES, sameAddress } from './support/users.js';

/** Another login of the same account, after the refusals of LOG-09: their positive control, and the second one of LOG-10. */
function secondLogin(check: Check): Promise<Session> {
  return check.memo('second login', async () => {
    const session = await check.login();
    await check.returnChain(session);
    return session;
  });
}

function wrongPassword(check: Check): Promise<Reply> {
  return check.memo('wrong password', async () => {
    const { email } = await check.owner();
    return check.api.login({ email, password: check.newAccount().password });
  });
}

function unknownEmail(check: Check): Promise<Reply> {
  return check.memo('unknown e-mail', () => {
    const { email, password } = check.newAccount();
    return check.api.login({ email, password });
  });
}

clause('LOG-01', async (check) => {
  const { account, reply } = await check.firstLogin();
  expect(reply, 'the right credentials').toHaveStatus(200);
  expect(reply, 'login response').toCarryDocumentedTokens();
  // Where it stands, LOG-02 says.
  expect(reply, 'login response').toSatisfy(Object.keys(reply.user).length > 0, 'a user', 'none');
  const { paths } = check.target.dialect;
  if (paths.login !== undefined) {
    // By the letter of the guide, although this target has it elsewhere.
    const { email, password } = account;
    const literal = await check.raw(oddJson('POST', pathOf('login'), { email, password }));
    expect(literal, `POST ${pathOf('login')}`).toHaveStatus(200);
  }
});

/** What of a `user` is not as the guide has it. */
function faultsOfUser(user: Readonly<Record<string, unknown>>): string[] {
  const account = (typeof user['account'] === 'object' ? user['account'] : undefined) as
    Record<string, unknown> | null | undefined;
  return [
    !Number.isInteger(user['id']) && '`id` is not an integer',
    ...['email', 'username'].map((name) => typeof user[name] !== 'string' && `\`${name}\` is not a text`),
    !ROLES.includes(String(user['role'])) && `\`role\` is ${JSON.stringify(user['role'] ?? 'missing')}`,
    ...['id', 'name', 'slug'].map((name) => account?.[name] === undefined && `\`account.${name}\` is missing`),
    ...['name', 'slug'].map(
      (name) =>
        account?.[name] !== undefined && typeof account[name] !== 'string' && `\`account.${name}\` is not a text`,
    ),
  ].filter((fault) => fault !== false);
}

clause('LOG-02', async (check) => {
  const { user, reply } = await firstSession(check);
  if (Object.keys(user).length === 0) throw new Blocked('LOG-01', 'there is no `user` in the answer');
  const viewer = check.target.viewer === undefined ? undefined : await check.session(check.target.viewer);
  const faults = [
    ...faultsOfUser(user),
    ...(viewer === undefined ? [] : faultsOfUser(viewer.user).map((fault) => `of the viewer: ${fault}`)),
  ];
  expect(reply, 'user').toSatisfy(
    faults.length === 0,
    'id (integer), email, username, role (a known one), account with id, name, slug',
    faults.join(', '),
  );
});

clause('LOG-03', async (check) => {
  const { user, account, reply } = await firstSession(check);
  if (typeof user['email'] !== 'string') throw new Blocked('LOG-02', '`user` has no e-mail');
  expect(reply, 'the user returned').toSatisfy(
    sameAddress(user['email'], account.email) &&
      (account.username === undefined || user['username'] === undefined || user['username'] === account.username),
    'the one who logged in',
    'another one',
  );
});

clause('LOG-04', async (check) => {
  await firstSession(check);
  const reply = await wrongPassword(check);
  expect(reply, 'a wrong password').toHaveStatus(401);
  expect(reply, 'its answer').toCarryNoToken();
});

clause('LOG-05', async (check) => {
  await firstSession(check);
  const reply = await unknownEmail(check);
  expect(reply, 'an unknown e-mail').toHaveStatus(401);
  expect(reply, 'its answer').toCarryNoToken();
});

/** Ids, times and counters may differ between any two answers, and with them the length of the body. */
const MAY_DIFFER =
  /^(date|age|expires|etag|content-length|server-timing|x-runtime|x-response-time|cf-ray|alt-svc|connection|keep-alive|retry-after|.*request-id|.*correlation-id|.*trace.*|x-throttle-.*|x-?ratelimit-.*)$/;

function comparable(reply: Reply): { readonly body: string; readonly headers: string } {
  const body =
    reply.object === undefined
      ? reply.text
      : JSON.stringify(reply.object, (name, value: unknown) =>
          /^(request_id|timestamp|time)$/.test(name) ? '…' : value,
        );
  const headers = reply.wire.headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !MAY_DIFFER.test(name))
    // A cookie's value may be an id; that there is one, and its name, tells.
    .map(([name, value]) => `${name}: ${name === 'set-cookie' ? value.replace(/=.*/s, '') : value}`)
    .sort()
    .join('\n');
  return { body, headers };
}

clause('LOG-06', async (check) => {
  await firstSession(check);
  const wrong = await wrongPassword(check);
  const unknown = await unknownEmail(check);
  if (wrong.status !== 401)
    throw new Blocked('LOG-04', `a wrong password is not answered with 401: ${seenStatus(wrong)}`);
  if (unknown.status !== 401)
    throw new Blocked('LOG-05', `an unknown e-mail is not answered with 401: ${seenStatus(unknown)}`);
  const [one, other] = [comparable(wrong), comparable(unknown)];
  const differs = [one.body !== other.body && 'the body', one.headers !== other.headers && 'the headers'].filter(
    (place) => place !== false,
  );
  expect(unknown, 'an unknown e-mail beside a wrong password').toSatisfy(
    differs.length === 0,
    'told apart by nothing but ids, times and counters',
    `told apart by ${differs.join(' and ')}: “${wrong.error ?? ''}” and “${unknown.error ?? ''}”`,
  );
});

clause('LOG-07', { phase: 'burst' }, timingSideChannel);

clause('LOG-08', async (check) => {
  const { account } = await firstSession(check);
  const { password } = check.newAccount();
  const rows: { name: string; body: object; statuses: number[] }[] = [
    { name: 'missing email', body: { password }, statuses: [400] },
    { name: 'missing password', body: { email: account.email }, statuses: [400] },
    { name: 'empty email', body: { email: '', password }, statuses: [400, 401] },
    { name: 'empty password', body: { email: account.email, password: '' }, statuses: [400, 401] },
  ];
  await check.eachRow(rows, async ({ body, statuses }) => {
    const reply = await check.raw(check.api.request('login', body));
    expect(reply).toHaveStatus(...statuses);
    expect(reply).toCarryNoToken();
  });
});

function otherCase(text: string): string {
  return Array.from(text)
    .map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
}

/** bcrypt reads no further than 72 bytes: a server that hands it longer passwords compares their beginnings only. */
const BCRYPT_BYTES = 72;

clause('LOG-09', async (check) => {
  const { account } = await firstSession(check);
  const { email, password } = account;
  const rows = [
    { name: 'other letter case', email, password: otherCase(password) },
    { name: 'a blank in front', email, password: ` ${password}` },
    { name: 'a blank behind', email, password: `${password} ` },
    { name: 'all but the last character', email, password: password.slice(0, -1) },
  ];
  if (check.target.register) {
    const long = check.newAccount();
    const tail = check.newAccount().password;
    const full = { ...long, password: long.password.padEnd(BCRYPT_BYTES, 'x') + tail };
    check.sender.secret(full.password);
    // The documents set no upper limit; a server that has one refuses here, and the row does not arise.
    const made = await check.api.register(full);
    if (made.status < 300) {
      rows.push({
        name: `a long password, wrong behind byte ${String(BCRYPT_BYTES)}`,
        email: long.email,
        password: full.password.slice(0, -tail.length) + otherCase(tail),
      });
    }
  }
  await check.eachRow(rows, async (row) => {
    const reply = await check.api.login({ email: row.email, password: row.password });
    expect(reply, 'a password that is not exactly the right one').not.toHaveStatus(200);
    expect(reply).toCarryNoToken();
  });
  await secondLogin(check);
});

clause('LOG-10', async (check) => {
  const first = await firstSession(check);
  const second = await secondLogin(check);
  const same = (['access', 'refresh'] as const).filter((name) => first[name] === second[name]);
  expect(second.reply, 'the tokens of two logins').toSatisfy(
    same.length === 0,
    'different ones',
    `the same ${same.join(' and ')} token`,
  );
});

/** A live token of somebody else than the owner; undefined where the run has nobody else. */
async function foreignToken(check: Check): Promise<string | undefined> {
  if (check.target.viewer !== undefined) return (await check.session(check.target.viewer)).access;
  return (await otherTenant(check))?.access;
}

clause('LOG-11', async (check) => {
  const { account, access, user: first } = await firstSession(check);
  if (first['email'] !== undefined && !sameAddress(first['email'], account.email))
    throw new Blocked('LOG-03', 'login shows another user than the one who logged in');
  const decoded = decode(access);
  const past = { exp: 1_500_000_000 };
  // Signed by the target's key where the run has it: expired, and nothing else.
  const stale =
    decoded === undefined
      ? 'stale'
      : check.target.secret === undefined
        ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
        : resign(access, check.target.secret, { claims: past });
  const foreign = await foreignToken(check);
  const rows = [
    { name: 'a stale bearer token', header: `Bearer ${stale}` },
    ...(foreign === undefined ? [] : [{ name: 'the live token of somebody else', header: `Bearer ${foreign}` }]),
    { name: 'credentials of another scheme', header: `Basic ${Buffer.from('somebody:else').toString('base64')}` },
  ];
  await check.eachRow(rows, async ({ header }) => {
    const reply = await check.api.login(
      { email: account.email, password: account.password },
      { headers: [['authorization', header]] },
    );
    expect(reply, 'login with it').toHaveStatus(200);
    const { email } = reply.user;
    if (typeof email !== 'string') return;
    expect(reply, 'the user returned').toSatisfy(
      sameAddress(email, account.email),
      'the one whose e-mail and password were sent',
      'another one',
    );
  });
});

clause('LOG-12', { phase: 'every-response' }, async (check) => {
  await firstSession(check);
  const carrying = (await check.observations()).filter(({ status, tokens }) => tokens && status < 300);
  if (carrying.length === 0) throw new Unverified('No answer with tokens was seen.');
  check.eachAnswer(carrying, ({ cacheControl }) =>
    /\bno-store\b/i.test(cacheControl ?? '')
      ? undefined
      : `tokens with ${cacheControl === undefined ? 'no Cache-Control' : `Cache-Control “${cacheControl}”`} instead of no-store`,
  );
});

clause('LOG-13', async (check) => {
  const { account } = await firstSession(check);
  // A URL is what access logs keep: where the run has an account of its own, no given password goes into it.
  const { email, password } = (await otherTenant(check))?.credentials ?? account;
  const query = new URLSearchParams({ email, password });
  const reply = await check.raw({ method: 'GET', path: `${check.api.path('login')}?${query.toString()}` });
  expect(reply, 'the credentials in the query string of a GET').toCarryNoToken();
});

clause('LOG-14', async (check) => {
  const { account, user, reply } = await firstSession(check);
  if (user['email'] !== undefined && !sameAddress(user['email'], account.email)) {
    throw new Blocked('LOG-03', 'login shows another user than the one who logged in');
  }
  const trace = passwordTrace(
    `${reply.text}\n${reply.wire.headers.map(([, value]) => value).join('\n')}`,
    account.password,
  );
  expect(reply, 'the password or its hash').toSatisfy(
    trace === undefined,
    'to come back nowhere',
    `found: ${trace ?? ''}`,
  );
  // A refusal that quotes the request quotes the password. What register says is REG-09's.
  const others = (await check.observations()).filter(({ operationId }) => operationId !== 'register');
  check.eachAnswer(others, ({ password }) => (password === undefined ? undefined : `${password} is in it`));
});

/** Logins of each user that are sent together. */
const LOGINS_EACH = 3;

/** Two users, and how each is told from the other: the e-mail in `user`, and the subject of the access token. */
async function twoUsers(check: Check): Promise<{ readonly account: Account; readonly subject: unknown }[]> {
  const other = check.target.viewer ?? (await otherTenant(check))?.credentials;
  if (other === undefined) {
    throw new Unverified('There is only one account in this run: set IGNY8_VIEWER_EMAIL and IGNY8_VIEWER_PASSWORD.');
  }
  const users = [];
  for (const account of [await check.owner(), other]) {
    const { access, user } = await check.session(account);
    if (user['email'] !== undefined && !sameAddress(user['email'], account.email))
      throw new Blocked('LOG-03', 'login shows another user than the one who logged in');
    users.push({ account, subject: decode(access)?.claims[check.target.dialect.subject] });
  }
  return users;
}

clause('LOG-15', async (check) => {
  const users = await twoUsers(check);
  const wanted = Array.from({ length: LOGINS_EACH }, () => users).flat();
  const requests = wanted.map(({ account: { email, password } }) =>
    oddJson('POST', 'auth/login/', { email, password }),
  );
  const way = wayTo(check.target);
  const agent = keepingAgent(way);
  const kept = new BoundedTransport(way, agent);
  const ways = [
    { name: 'over new connections', send: () => check.sender.sendAtOnce(requests) },
    {
      name: 'over kept connections',
      send: () => Promise.all(requests.map((request) => check.sender.sendOver(request, kept))),
    },
  ];
  const tokens = new Set<string>();
  await check
    .eachRow(ways, async ({ send }) => {
      const replies = await send();
      for (const [i, reply] of replies.entries()) {
        const user = wanted[i];
        if (!(reply instanceof Reply)) throw reply;
        if (user === undefined) continue;
        expect(reply, 'one of several logins at the same moment').toHaveStatus(200);
        const { user: shown, access, refresh } = check.sessionOf(reply, user.account);
        const subject = decode(access)?.claims[check.target.dialect.subject];
        expect(reply, 'the user and the access token').toSatisfy(
          (shown['email'] === undefined || sameAddress(shown['email'], user.account.email)) && subject === user.subject,
          'those of the user who logged in',
          "another user's",
        );
        expect(reply, 'its tokens').toSatisfy(
          !tokens.has(access) && !tokens.has(refresh),
          'given to no other login',
          'the same as those of another login',
        );
        tokens.add(access).add(refresh);
      }
    })
    .finally(() => {
      agent.destroy();
    });
});
