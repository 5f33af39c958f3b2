import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, Unverified, type Check } from '../fixtures/check/check.js';
import { oddJson } from '../fixtures/check/api.js';
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
    const reply = await check.api.refresh({ refresh });
    // Nobody else rotates it: on some servers the new access token would end with that.
    mine.spoil();
    if (reply.status === 200) return { before: { access, refresh }, reply };
    const before = await check.login();
    return { before, reply: await check.api.refresh({ refresh: before.refresh }) };
  });
}

/** The same, where a clause is about something behind the success: rests on REF-01. */
async function rotated(check: Check): Promise<Rotation & TokenPair> {
  const { before, reply } = await check.answered('REF-01', 'refresh', () => rotation(check));
  const access = reply.token('access');
  const refresh = reply.token('refresh');
  if (reply.status !== 200 || access === undefined || refresh === undefined) {
    throw new Blocked('REF-01', `refresh did not give tokens: ${seenStatus(reply)}`);
  }
  return { before, reply, access, refresh };
}

clause('REF-01', async (check) => {
  const { reply } = await rotation(check);
  expect(reply, 'a live refresh token').toHaveStatus(200);
  expect(reply, 'its answer').toCarryBothTokens();
});

clause('REF-02', async (check) => {
  const { access } = await rotated(check);
  const owner = await check.session();
  const opened = await check.door(access);
  if (opened.status !== 200) await check.opens(owner.access);
  expect(opened, 'the new access token').toHaveStatus(200);
  const [subject, successor] = [owner.access, access].map((token) => decode(token)?.claims['user_id']);
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
  expect(reply, 'the new refresh token').toSatisfy(refresh !== before.refresh, 'another one', 'the one presented');
});

/** A spent token presented again when two others have come after it, and then the newest of its chain. */
function lateReuse(check: Check): Promise<{ reuse: Reply; newest: Reply }> {
  return check.memo('late reuse', async () => {
    const { chain: mine } = await check.expendable();
    const spent = mine.refresh;
    await mine.rotate();
    await mine.rotate();
    if (mine.refresh === spent) throw new Blocked('REF-04', 'refresh gives the same refresh token back');
    mine.spoil();
    const reuse = await check.api.refresh({ refresh: spent });
    return { reuse, newest: await check.api.refresh({ refresh: mine.refresh }) };
  });
}

clause('REF-05', async (check) => {
  const { chain: mine } = await check.expendable();
  const spent = mine.refresh;
  await mine.rotate();
  if (mine.refresh === spent) throw new Blocked('REF-04', 'refresh gives the same refresh token back');
  mine.spoil();
  expect(await check.api.refresh({ refresh: spent }), 'the spent refresh token').toHaveStatus(401);
  const { reuse } = await lateReuse(check);
  expect(reuse, 'a refresh token that was spent two rotations ago').toHaveStatus(401);
});

clause('REF-06', async ({ api, chain }) => {
  const mine = await chain();
  await mine.rotate();
  for (const turn of ['second', 'third']) {
    const reply = await api.refresh({ refresh: mine.refresh });
    expect(reply, `the ${turn} refresh in a row, by the token that the last one gave`).toHaveStatus(200);
    expect(reply, 'its answer').toCarryBothTokens();
    mine.advance(reply);
  }
});

clause('REF-07', async ({ api, chain, target }) => {
  const mine = await chain();
  await mine.rotate();
  const decoded = decode(mine.access);
  const past = { exp: 1_500_000_000 };
  const expired =
    decoded === undefined
      ? 'expired'
      : target.secret === undefined
        ? `${decoded.parts[0]}.${encodePart({ ...decoded.claims, ...past })}.${decoded.parts[2]}`
        : resign(mine.access, target.secret, { claims: past });
  const reply = await api.refresh({ refresh: mine.refresh }, { access: expired });
  expect(reply, 'refresh with an expired access token in Authorization').toHaveStatus(200);
  mine.advance(reply);
});

clause('REF-08', async (check) => {
  const mine = await check.chain();
  await mine.rotate();
  await check.each(
    ['not-a-token', 'a.b.c', '0123456789abcdef'.repeat(8)],
    (text) => `“${text.slice(0, 20)}” as refresh`,
    async (text) => {
      expect(await check.api.refresh({ refresh: text })).toHaveStatus(401, 400);
    },
  );
});

clause('REF-09', async ({ api, chain }) => {
  const mine = await chain();
  await mine.rotate();
  const reply = await api.refresh({ refresh: mine.access });
  expect(reply, 'an access token in `refresh`').toHaveStatus(401);
  await mine.rotate();
});

clause('REF-10', async (check) => {
  const mine = await check.chain();
  await mine.rotate();
  const rows: { name: string; body: object; statuses: number[] }[] = [
    { name: 'missing', body: {}, statuses: [400] },
    { name: 'null', body: { refresh: null }, statuses: [400] },
    { name: 'a number', body: { refresh: 12345 }, statuses: [400] },
    { name: 'a boolean', body: { refresh: true }, statuses: [400] },
    { name: 'a list', body: { refresh: ['a.b.c'] }, statuses: [400] },
    { name: 'a list with the live one in it', body: { refresh: [mine.refresh] }, statuses: [400] },
    { name: 'an object', body: { refresh: { token: 'a.b.c' } }, statuses: [400] },
    { name: 'empty', body: { refresh: '' }, statuses: [400, 401] },
    { name: 'blank', body: { refresh: '   ' }, statuses: [400, 401] },
  ];
  await check.each(
    rows,
    ({ name }) => `refresh ${name}`,
    async ({ body, statuses }) => {
      expect(await check.raw(oddJson('POST', 'auth/refresh/', body))).toHaveStatus(...statuses);
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
    await mine.rotate();
    const request = oddJson('POST', 'auth/refresh/', { refresh: mine.refresh });
    const answers = await check.sender.sendAtOnce(Array.from({ length: RACERS }, () => request));
    mine.spoil();
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
    for (const winner of winners) working += (await check.door(winner.token('access') ?? '')).status === 200 ? 1 : 0;
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
  expect(newest, 'the newest refresh token after a spent one of its chain was used again').toHaveStatus(
    ...new Set([401, reuse.status]),
  );
});

clause('REF-14', async (check) => {
  // Never rotated before: some servers know a login by its newest token only.
  const other = await check.login();
  const mine = await check.chain();
  if (mine.refresh === other.refresh) throw new Blocked('LOG-10', 'two logins give the same refresh token');
  if ((await check.door(other.access)).status !== 200) {
    throw new Unverified('A new login ends the older ones of its user here, so there are no two to be told apart.');
  }
  await mine.rotate();
  await mine.rotate();
  const reply = await check.api.refresh({ refresh: other.refresh });
  expect(reply, "the refresh token of the user's other login").toHaveStatus(200);
  await check.giveAway(check.sessionOf(reply, other.account));
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
      path: 'auth/refresh/',
      headers: [['content-type', type]],
      body: body(JSON.stringify({ refresh: live })),
    });
    if (refused.status < 400) throw new Blocked(by, `${what} was accepted: ${seenStatus(refused)}`);
    const reply = await check.api.refresh({ refresh: live });
    if (reply.status !== 200) await rotated(check);
    expect(reply, `the refresh token of a request that was refused as ${what}`).toHaveStatus(200);
    live = check.sessionOf(reply, session.account).refresh;
  }
});
