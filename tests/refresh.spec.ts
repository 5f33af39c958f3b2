import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import { oddJson } from '../fixtures/check/api.js';
import { GUIDE, pathOf } from '../fixtures/run/dialect.js';
import { spend } from './support/rotation.js';
import { expectUnauthenticated } from './support/unauthenticated.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { judgeRefreshForgeries } from './support/forgeries.js';
import { Reply } from '../fixtures/evidence/reply.js';
import type { TokenPair } from '../fixtures/run/run.js';
import { decode, encodePart, resign } from '../fixtures/evidence/jwt.js';

interface Rotation {
  readonly before: TokenPair;
  readonly reply: Reply;
}

/**
 * The one rotation that the clauses about a successful answer look at: of a chain that was given back alive, or, should something have
 * ended it meanwhile, of a login of its own.
 */
function rotation(check: Check): Promise<Rotation> {
  return check.memo('rotation', async () => {
    const mine = await check.chain();
    const { access, refresh } = mine;
    const reply = await check.api.refresh(refresh);
    // Nobody else rotates it: on some servers the new access token would end with that.
    mine.invalidate();
    if (reply.status === 200) return { before: { access, refresh }, reply };
    const before = await check.login();
    return { before, reply: await check.api.refresh(before.refresh) };
  });
}

/** The same, where a clause is about something behind the success: rests on REF-01. */
async function rotated(check: Check): Promise<Rotation & TokenPair> {
  const { before, reply } = await check.answered('REF-01', 'refresh', () => rotation(check));
  const access = reply.token('access');
  // Where nothing rotates, the token presented stays: what the others ask of the access token has its meaning all the same.
  const refresh = reply.token('refresh') ?? (check.target.dialect.rotates ? undefined : before.refresh);
  if (reply.status !== 200 || access === undefined || refresh === undefined) {
    throw new Blocked('REF-01', `refresh returned no usable tokens: ${seenStatus(reply)}`, reply.exchange);
  }
  return { before, reply, access, refresh };
}

clause('REF-01', async (check) => {
  const { before, reply } = await rotation(check);
  const { paths, refreshField } = check.target.dialect;
  if (paths.refresh !== undefined || refreshField !== GUIDE.refreshField) {
    // By the letter of the guide, although this target has it elsewhere.
    const literal = await check.raw(
      oddJson('POST', pathOf('refresh'), { refresh: reply.token('refresh') ?? before.refresh }),
    );
    expect(literal, `POST ${pathOf('refresh')} with \`refresh\``).toHaveStatus(200);
  }
  expect(reply, 'a live refresh token').toHaveStatus(200);
  expect(reply, 'refresh response').toCarryDocumentedTokens();
});

clause('REF-02', async (check) => {
  const { access } = await rotated(check);
  const owner = await check.session();
  const opened = await check.askProtected(access);
  if (opened.status !== 200) await check.expectAuthorized(owner.access);
  expect(opened, 'the new access token').toHaveStatus(200);
  const { subject: claim } = check.target.dialect;
  const [subject, successor] = [owner.access, access].map((token) => decode(token)?.claims[claim]);
  expect(opened, 'the user of the new access token').toSatisfy(
    subject === successor,
    'the one who logged in',
    'another one',
  );
});

clause('REF-03', async (check) => {
  const { before, reply, access } = await rotated(check);
  expect(reply, 'the new access token').toSatisfy(access !== before.access, 'another one', 'the old one');
});

clause('REF-04', async (check) => {
  const { before, reply, refresh } = await rotated(check);
  if (reply.token('refresh') === undefined)
    throw new Blocked('REF-01', 'refresh gives no refresh token', reply.exchange);
  expect(reply, 'the new refresh token').toSatisfy(refresh !== before.refresh, 'another one', 'the one presented');
});

/** A spent token presented again when two others have come after it, and then the newest of its chain. */
function lateReuse(check: Check): Promise<{ reuse: Reply; newest: Reply }> {
  return check.memo('late reuse', async () => {
    const { chain: mine } = await check.expendable();
    const spent = await spend(check, mine);
    await mine.rotate();
    mine.invalidate();
    const reuse = await check.api.refresh(spent);
    return { reuse, newest: await check.api.refresh(mine.refresh) };
  });
}

clause('REF-05', async (check) => {
  const { chain: mine } = await check.expendable();
  const spent = await spend(check, mine);
  mine.invalidate();
  await expectUnauthenticated(check, await check.api.refresh(spent), 'the spent refresh token');
  const { reuse } = await lateReuse(check);
  await expectUnauthenticated(check, reuse, 'a refresh token that was spent two rotations ago');
});

clause('REF-06', async (check) => {
  const mine = await check.chain();
  await spend(check, mine);
  for (const turn of ['second', 'third']) {
    const reply = await check.api.refresh(mine.refresh);
    expect(reply, `the ${turn} refresh in a row, with the token that the last one returned`).toHaveStatus(200);
    expect(reply, 'refresh response').toCarryBothTokens();
    mine.advance(reply);
  }
});

clause('REF-07', async ({ api, provenChain, target }) => {
  const mine = await provenChain();
  const decoded = decode(mine.access);
  const past = { exp: 1_500_000_000 };
  const expired =
    decoded === undefined
      ? 'expired'
      : target.secret === undefined
        ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
        : resign(mine.access, target.secret, { claims: past });
  const reply = await api.refresh(mine.refresh, { access: expired });
  expect(reply, 'refresh with an expired access token in Authorization').toHaveStatus(200);
  mine.advance(reply);
});

clause('REF-08', async (check) => {
  await check.provenChain();
  await check.eachRow(
    named(['not-a-token', 'a.b.c', '0123456789abcdef'.repeat(8)], (text) => `“${text.slice(0, 20)}” as refresh token`),
    async ({ value }) => {
      await expectUnauthenticated(check, await check.api.refresh(value), 'refresh', 400);
    },
  );
});

clause('REF-09', async (check) => {
  const mine = await check.provenChain();
  const reply = await check.api.refresh(mine.access);
  await expectUnauthenticated(check, reply, 'an access token in `refresh`');
  await mine.rotate();
});

clause('REF-10', async (check) => {
  const mine = await check.provenChain();
  const rows: { name: string; token: unknown; statuses: number[] }[] = [
    { name: 'missing', token: undefined, statuses: [400] },
    { name: 'null', token: null, statuses: [400] },
    { name: 'a number', token: 12345, statuses: [400] },
    { name: 'a boolean', token: true, statuses: [400] },
    { name: 'an array', token: ['a.b.c'], statuses: [400] },
    { name: 'an array with the live token in it', token: [mine.refresh], statuses: [400] },
    { name: 'an object', token: { token: 'a.b.c' }, statuses: [400] },
    { name: 'empty', token: '', statuses: [400, 401] },
    { name: 'spaces', token: '   ', statuses: [400, 401] },
  ];
  await check.eachRow(
    rows.map((row) => ({ ...row, name: `refresh token ${row.name}` })),
    async ({ token, statuses }) => {
      const reply = await check.raw(check.api.refreshRequest(token));
      if (statuses.includes(401)) await expectUnauthenticated(check, reply, 'refresh', 400);
      else expect(reply).toHaveStatus(...statuses);
    },
  );
  await mine.rotate();
});

clause('REF-11', judgeRefreshForgeries);

/** Requests of one race, and races in a row. */
const RACERS = 8;
const RACES = 3;

clause('REF-12', async (check) => {
  const counts: number[] = [];
  for (let race = 0; race < RACES; race += 1) {
    const { chain: mine } = await check.expendable();
    await spend(check, mine);
    const request = check.api.refreshRequest(mine.refresh);
    const answers = await check.sender.sendAtOnce(Array.from({ length: RACERS }, () => request));
    mine.invalidate();
    const winners = answers.filter(
      (answer): answer is Reply =>
        answer instanceof Reply && answer.status === 200 && answer.token('refresh') !== undefined,
    );
    counts.push(winners.length);
    if (winners.length === 1) continue;
    const first = answers.find((answer): answer is Reply => answer instanceof Reply);
    if (winners.length === 0) {
      throw new Finding(
        `none of ${String(RACERS)} simultaneous uses of one live refresh token was answered with tokens: an honest client with two tabs is logged out`,
        first?.exchange,
      );
    }
    let working = 0;
    for (const winner of winners)
      working += (await check.askProtected(winner.token('access') ?? '')).status === 200 ? 1 : 0;
    throw new Finding(
      `${String(winners.length)} of ${String(RACERS)} simultaneous uses of one refresh token were answered with tokens, expected 1; ${String(working)} of these access tokens work`,
      winners[1]?.exchange,
    );
  }
  check.measure('simultaneous uses answered with tokens', `${counts.join(', ')} of ${String(RACERS)} each`);
});

clause('REF-13', async (check) => {
  const { reuse, newest } = await lateReuse(check);
  if (reuse.status < 400) throw new Blocked('REF-05', `a spent refresh token is still good: ${seenStatus(reuse)}`);
  // Refused with a wrong status, as the spent one was, it is refused: the status is REF-05's.
  const what = 'the newest refresh token after a spent one of its chain was used again';
  await expectUnauthenticated(check, newest, what, reuse.status);
});

const ONE_SESSION = 'A new login ends the older ones of its user here, so there are no two to be told apart.';

clause('REF-14', async (check) => {
  if (check.target.dialect.sessions === 'one') throw new Unverified(ONE_SESSION);
  // Never rotated before: some servers know a login by its newest token only.
  const other = await check.login();
  const mine = await check.chain();
  if (mine.refresh === other.refresh) throw new Blocked('LOG-10', 'two logins give the same refresh token');
  if ((await check.askProtected(other.access)).status !== 200) {
    throw new Unverified(ONE_SESSION);
  }
  await mine.rotate();
  await mine.rotate();
  const reply = await check.api.refresh(other.refresh);
  expect(reply, "the refresh token of the user's other login").toHaveStatus(200);
  const [access, refresh = other.refresh] = [reply.token('access'), reply.token('refresh')];
  if (access !== undefined) await check.returnChain({ account: other.account, access, refresh });
});

clause('REF-15', async (check) => {
  // A login of its own: how often a chain rotates is REF-06's question.
  const session = await check.login();
  let live = session.refresh;
  for (const { what, type, body, by } of [
    { what: 'malformed JSON', type: 'application/json', body: (good: string) => good.slice(0, -1), by: 'ROB-01' },
    { what: 'another content type', type: 'text/plain', body: (good: string) => good, by: 'ROB-03' },
  ] as const) {
    const refused = await check.raw({
      method: 'POST',
      path: check.api.path('refresh'),
      headers: [['content-type', type]],
      body: body(String(check.api.refreshRequest(live).body)),
    });
    if (refused.status < 400) throw new Blocked(by, `${what} was accepted: ${seenStatus(refused)}`);
    const reply = await check.api.refresh(live);
    if (reply.status !== 200) await rotated(check);
    expect(reply, `the refresh token of a request that was refused as ${what}`).toHaveStatus(200);
    live = reply.token('refresh') ?? live;
  }
});
