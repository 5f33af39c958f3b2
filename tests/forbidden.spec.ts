import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import { seenStatus } from '../fixtures/check/expect.js';
import {
  aKeyword,
  foreignResource,
  listed,
  otherTenant,
  madeBy,
  readable,
  remove,
  siteOf,
} from './support/access/resources.js';
import { exactRows, idOf } from './support/responses/exact.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { provenKey } from './support/tokens/signing-key.js';
import { resign } from '../fixtures/evidence/jwt.js';
import { expectError, inLanguages } from './support/responses/error-messages.js';
import { expectUnauthenticated } from './support/access/unauthenticated.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { dependsOnAlike } from './support/journeys/alike-workers.js';
import { refreshedWrite, refusedWrite, ofChanges, dependsOnRefusal } from './support/access/viewers-writes.js';
import { judgeAtOnce, laterPage, queriesFor } from './support/access/others-rows.js';
import { methodsOf, foreignWrites } from './support/access/foreign-writes.js';
import {
  judgeForgedSite,
  judgeHiddenRow,
  listOf,
  refusedQueries,
  showsNone,
  spellingsOf,
} from './support/access/denied-site.js';
import { spoiled } from './support/tokens/forgeries.js';
import { WIDER, judgeForgedRefresh, judgeForgedRow, judgeForgedTenant } from './support/tokens/forged-claims.js';
import { plantings, type Planted, plant, judgePlanted } from './support/access/planted-rows.js';

clause('FOR-01', async (check) => {
  const { reply: created } = await refusedWrite(check);
  const refused = ({ reply }: { readonly reply: Reply }): void => {
    expect(reply, 'the write').toHaveStatus(403);
  };
  await check.eachRow<{ readonly name: string; readonly judge: () => Promise<void> | void }>(
    [
      {
        name: 'POST by a viewer',
        judge: () => {
          refused({ reply: created });
        },
      },
      {
        name: 'POST by a viewer, with an access token from refresh',
        judge: async () => {
          refused({ reply: await refreshedWrite(check) });
        },
      },
      ...(await ofChanges(check, refused)),
    ],
    ({ judge }) => judge(),
  );
});

clause('FOR-02', async (check) => {
  const { reply } = await refusedWrite(check);
  if (reply.status !== 403) throw new Blocked('FOR-01', `a viewer's write does not get 403: ${seenStatus(reply)}`);
  const { access } = await check.session(check.target.viewer);
  const created = inLanguages(
    () => Promise.resolve(reply),
    (headers) => check.api.createKeyword(aKeyword(check).body, { access, headers }),
  ).map(({ name, ask }) => ({
    name: `POST by a viewer, ${name}`,
    judge: async () => {
      expectError(await ask(), 'Permission denied');
    },
  }));
  const changed = await ofChanges(check, ({ reply: refused }) => {
    if (refused.status !== 403) throw new Blocked('FOR-01', `it does not get 403: ${seenStatus(refused)}`);
    expectError(refused, 'Permission denied');
  });
  await check.eachRow<{ readonly name: string; readonly judge: () => Promise<void> | void }>(
    [...created, ...changed],
    ({ judge }) => judge(),
  );
});

clause('FOR-03', async (check) => {
  const { text, reply } = await refusedWrite(check);
  const created = async (): Promise<void> => {
    dependsOnRefusal(reply, seenStatus(reply));
    const { rows, reply: list } = await listed(check, (await check.session()).access);
    expect(list, 'the list after the refused write').toSatisfy(
      !rows.some((row) => JSON.stringify(row).includes(text)),
      'without what was refused',
      'what was refused is in it',
    );
  };
  const changes = await ofChanges(check, ({ reply: refused, after, change }) => {
    dependsOnRefusal(refused, seenStatus(refused));
    // A replica may still show what was there before it, and never what was refused.
    const held = after.status === 200 && (change === undefined || !after.text.includes(change));
    expect(after, 'the row after it').toSatisfy(held, 'as it was', seenStatus(after));
  });
  await check.eachRow<{ readonly name: string; readonly judge: () => Promise<void> | void }>(
    [{ name: 'POST by a viewer', judge: created }, ...changes],
    ({ judge }) => judge(),
  );
});

/** Another account's resource, asked for by the owner of this run. */
function askedForForeign(check: Check): Promise<Reply> {
  return check.memo('resource of another account', async () => {
    const { path } = await foreignResource(check);
    const { access } = await check.session();
    await check.expectAuthorized(access);
    return check.api.getResource(path, { access });
  });
}

clause('FOR-04', async (check) => {
  const reply = await askedForForeign(check);
  if (reply.status === 401) {
    const { path } = await foreignResource(check);
    await dependsOnAlike(check, jsonRequest('GET', path, undefined, await check.session()));
  }
  expect(reply, "another account's resource").toHaveStatus(403, 404);
  const other = await otherTenant(check);
  if (other?.keyword === undefined) return;
  // Its text is known, so that a refusal that quotes it is seen.
  const { access } = await check.session();
  const refused = await check.api.getResource(check.api.path('getKeyword', other.keyword.id), { access });
  expect(refused, "another account's keyword").toHaveStatus(403, 404);
  expect(refused, 'the refusal').toSatisfy(
    !refused.text.includes(other.keyword.text),
    'without anything of what it refuses',
    'the keyword itself is in it',
  );
});

clause('FOR-05', async (check) => {
  const reply = await askedForForeign(check);
  if (reply.status !== 403 && reply.status !== 404) {
    throw new Blocked('FOR-04', `another account's resource gets ${seenStatus(reply)}`);
  }
  expect(reply, "another account's resource").toHaveStatus(403);
});

clause('FOR-06', async (check) => {
  const { id } = await foreignResource(check);
  const { access } = await check.session();
  const other = await otherTenant(check);
  const keyword = other?.keyword;
  const theirs = new Set([id, ...(keyword === undefined ? [] : [keyword.id])]);
  const { rows, reply } = await listed(check, access);
  expect(reply, "the list of one's own account").toSatisfy(
    !rows.some((row) => theirs.has(idOf(row) ?? '')),
    "no row of another account's",
    "another account's row is in it",
  );
  if (other === undefined) return;
  const own = new Set(rows.map((row) => idOf(row) ?? ''));
  await check.eachRow(
    [
      ...(keyword === undefined
        ? []
        : [...queriesFor(check, access, keyword, other.account), laterPage(check, access, keyword, own)]),
      { name: 'two users at once', judge: () => judgeAtOnce(check, access, other, own, theirs) },
    ],
    ({ judge }) => judge(),
  );
});

clause('FOR-07', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const site = check.target.deniedSite ?? '';
  const owners = await listOf(check, await check.session(), `site_id=${encodeURIComponent(site)}`);
  const there = (exactRows(owners) ?? []).filter((row) => siteOf(row) === site);
  const hidden = there.map((row) => idOf(row) ?? '');
  const seen = await listed(check, viewer.access);
  const { id: foreign } = await foreignResource(check).catch(() => ({ id: undefined }));
  if (seen.rows.some((row) => idOf(row) === foreign))
    throw new Blocked('FOR-06', "the viewer's list holds another account's row", seen.reply.exchange);
  // Only what would be seen can be looked for.
  const spellings = hidden.length === 0 ? [] : ['', ...spellingsOf(site, siteOf(seen.rows[0]) ?? '1')];
  await check.eachRow(
    [
      ...refusedQueries(check, viewer, site),
      ...there.slice(0, 1).map((row) => ({
        name: 'one of its rows, by its id',
        judge: () => judgeHiddenRow(check, viewer, row),
      })),
      ...spellings.map((query) => ({ name: `?${query}`, judge: () => showsNone(check, viewer, query, hidden) })),
    ],
    ({ judge }) => judge(),
  );
});

/** @throws Blocked by UNA-05 if the list opens to this token, whose signature is wrong */
async function dependsOnSignature(check: Check, access: string): Promise<void> {
  const list = await check.askProtected(access);
  if (list.status < 300)
    throw new Blocked('UNA-05', `a token with a wrong signature is taken: ${seenStatus(list)}`, list.exchange);
}

clause('FOR-08', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const access = spoiled(viewer.access);
  const write = (): Promise<Reply> => check.api.createKeyword(aKeyword(check).body, { access });
  const rows = [{ name: 'a write that the user may not make', ask: write }];
  if (check.target.capabilities.includes('foreign')) {
    const { path } = await foreignResource(check);
    rows.push({ name: "another account's resource", ask: () => check.api.getResource(path, { access }) });
  }
  await check.eachRow(rows, async ({ ask }) => {
    const reply = await ask();
    if (reply.status === 403 || reply.status === 404) await dependsOnSignature(check, access);
    await expectUnauthenticated(check, reply, 'with a spoiled token');
  });
  await check.expectAuthorized(viewer.access);
});

clause('FOR-09', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const key = await provenKey(check, viewer.access);
  const { reply } = await refusedWrite(check);
  if (reply.status !== 403) throw new Blocked('FOR-01', `a viewer's write does not get 403: ${seenStatus(reply)}`);
  const forged = resign(viewer.access, key, { claims: WIDER });
  const write = await check.api.createKeyword(aKeyword(check).body, { access: forged });
  expect(write, 'a write with a role forged into the token').toBeRefused();
  await judgeForgedRow(check, viewer.access, forged);
  await judgeForgedRefresh(check, key);
  if (check.target.capabilities.includes('site')) await judgeForgedSite(check, viewer, forged);
  if (!check.target.capabilities.includes('foreign')) return;
  await judgeForgedTenant(check, key);
});

clause('FOR-10', async (check) => {
  const other = await otherTenant(check);
  if (other?.keyword === undefined)
    throw new Unverified(other?.obstacle ?? 'There is no second account in this run: set IGNY8_REGISTER=on.');
  const owner = await check.session();
  const control = await check.api.createKeyword(aKeyword(check).body, owner);
  if (control.status > 299) {
    throw new Unverified(`POST planner/keywords/ returned ${seenStatus(control)}: set IGNY8_KEYWORD_BODY.`);
  }
  const rows = plantings(other);
  const mine = await madeBy(check, owner);
  const methods = ['POST', ...(await methodsOf(check, owner, mine))];
  const sent: Planted[] = [];
  for (const row of rows.filter(({ method }) => methods.includes(method)))
    sent.push(await plant(check, owner, mine, row));
  const theirs = await listed(check, other.access);
  await check.eachRow(sent, (planted) => judgePlanted(check, owner, other, theirs, planted));
  await remove(check, owner, mine);
});

clause('FOR-11', async (check) => {
  const other = await otherTenant(check);
  if (other === undefined || !check.target.write)
    throw new Unverified('There is no second account in this run: set IGNY8_REGISTER=on.');
  const owner = await check.session();
  const rows = { owner, other, mine: await madeBy(check, owner), theirs: await madeBy(check, other) };
  try {
    await readable(check, other, rows.theirs);
    await check.eachRow(foreignWrites(check, rows), ({ judge }) => judge(), { inOrder: true });
  } finally {
    await remove(check, owner, rows.mine);
    await remove(check, other, rows.theirs);
  }
});
