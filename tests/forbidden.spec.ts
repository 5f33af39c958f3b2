import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import { jsonRequest } from '../fixtures/check/api.js';
import { named } from '../fixtures/check/judging.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { flipped } from './support/forgeries.js';
import {
  accountId,
  aKeyword,
  foreignResource,
  listed,
  otherTenant,
  madeBy,
  otherTenantsResource,
  readable,
  remove,
  siteOf,
  type OtherTenant,
  type OwnRow,
} from './support/resources.js';
import type { Sendable } from '../fixtures/check/sender.js';
import { exactRows, idOf } from './support/exact.js';
import type { Reply } from '../fixtures/evidence/reply.js';
import { provenKey } from './support/signing-key.js';
import { decode, resign } from '../fixtures/evidence/jwt.js';
import { expectUnauthenticated } from './support/unauthenticated.js';

interface Refused {
  readonly text: string;
  readonly reply: Reply;
}

/** The write that a viewer may not make; before it, the same write by the owner, who may. */
function refusedWrite(check: Check): Promise<Refused> {
  return check.memo('write by a viewer', async () => {
    const viewer = await check.session(check.target.viewer);
    await check.expectAuthorized(viewer.access);
    const allowed = await check.api.createKeyword(aKeyword(check).body, await check.session());
    if (allowed.status < 200 || allowed.status > 299) {
      throw new Unverified(
        `The owner's own POST planner/keywords/ was answered with ${seenStatus(allowed)}: set IGNY8_KEYWORD_BODY to a body that this target accepts.`,
      );
    }
    const { text, body } = aKeyword(check);
    return { text, reply: await check.api.createKeyword(body, viewer) };
  });
}

interface RefusedChange {
  readonly method: string;
  readonly reply: Reply;
  /** What it would have made of the row; undefined: nothing, for DELETE. */
  readonly change: string | undefined;
  /** The row, read by the owner after it. */
  readonly after: Reply;
}

/** Changes of a row that the run made, by a viewer: of each method that the target has, because the owner's own request succeeds. */
function refusedChanges(check: Check): Promise<readonly RefusedChange[]> {
  return check.memo('changes by a viewer', async () => {
    const viewer = await check.session(check.target.viewer);
    const owner = await check.session();
    const row = await madeBy(check, owner);
    await readable(check, owner, row);
    const changes: RefusedChange[] = [];
    // Who may not write is asked before what: a change of nothing is refused as well.
    const ofNothing = { reply: await check.raw(jsonRequest('PATCH', row.path, {}, viewer)), change: undefined };
    const untouched = await check.api.getResource(row.path, owner);
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      const body = (): ReturnType<typeof aKeyword> | undefined => (method === 'DELETE' ? undefined : aKeyword(check));
      const change = body();
      const reply = await check.raw(jsonRequest(method, row.path, change?.body, viewer));
      const after = await check.api.getResource(row.path, owner);
      const own = await check.raw(jsonRequest(method, row.path, body()?.body, owner));
      // A row that is gone tells of its method as well: there is nothing left to try it on.
      if (own.status < 300 || reply.status < 300 || after.status !== 200)
        changes.push({ method, reply, after, change: change?.text });
    }
    if (changes.some(({ method }) => method === 'PATCH'))
      changes.unshift({ ...ofNothing, method: 'PATCH of nothing', after: untouched });
    if (changes.at(-1)?.method !== 'DELETE') await remove(check, owner, row);
    return changes;
  });
}

/** A row for each change, or one that says why there is none: it does not end the table. */
async function ofChanges(
  check: Check,
  judge: (change: RefusedChange) => void,
): Promise<{ readonly name: string; readonly judge: () => void }[]> {
  try {
    return (await refusedChanges(check)).map((change) => ({
      name: `${change.method} by a viewer`,
      judge: () => {
        judge(change);
      },
    }));
  } catch (error) {
    if (!(error instanceof Blocked || error instanceof Unverified)) throw error;
    const tell = (): void => {
      throw error;
    };
    return [{ name: 'changes by a viewer', judge: tell }];
  }
}

clause('FOR-01', async (check) => {
  const { reply: created } = await refusedWrite(check);
  const refused = ({ reply }: { readonly reply: Reply }): void => {
    expect(reply, 'the write').toHaveStatus(403);
  };
  await check.eachRow(
    [
      {
        name: 'POST by a viewer',
        judge: () => {
          refused({ reply: created });
        },
      },
      ...(await ofChanges(check, refused)),
    ],
    ({ judge }) => {
      judge();
    },
  );
});

clause('FOR-02', async (check) => {
  const { reply } = await refusedWrite(check);
  if (reply.status !== 403)
    throw new Blocked('FOR-01', `a viewer's write is not answered with 403: ${seenStatus(reply)}`);
  expect(reply, 'its `error`').toSatisfy(
    reply.error === 'Permission denied',
    '“Permission denied”',
    reply.error === undefined ? 'no text' : `“${reply.error}”`,
  );
});

/** @throws Blocked by FOR-01 if the write was not refused: its effect is then no wonder */
function dependsOnRefusal({ status }: Reply, seen: string): void {
  if (status < 400) throw new Blocked('FOR-01', `a viewer's write is not refused: ${seen}`);
}

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
    throw new Blocked('FOR-04', `another account's resource is answered with ${seenStatus(reply)}`);
  }
  expect(reply, "another account's resource").toHaveStatus(403);
});

/** Lists asked for at the same moment, by two users in turn; and times that this is done. */
const AT_ONCE = 8;
const ROUNDS = 2;

/** Two users at once: what one request leaves in a place that both share is the other's to see. */
async function judgeAtOnce(
  check: Check,
  access: string,
  other: OtherTenant,
  own: ReadonlySet<string>,
  theirs: ReadonlySet<string>,
): Promise<void> {
  await check.expectAuthorized(other.access);
  for (let round = 0; round < ROUNDS; round += 1) {
    const replies = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, turn) => {
        const mine = turn % 2 === 0;
        return { mine, answer: await check.askProtected(mine ? access : other.access) };
      }),
    );
    for (const { mine, answer } of replies) {
      const strange = mine ? theirs : own;
      const found = (exactRows(answer) ?? []).some((row) => strange.has(idOf(row) ?? ''));
      expect(answer, `a list asked for by two users at once, ${mine ? 'the one' : 'the other'}`).toSatisfy(
        !found,
        "no row of another account's",
        "another account's row is in it",
      );
    }
  }
}

/** Queries by which a list would find the other's row, if the filter by account went missing on the way. */
function queriesFor(keyword: NonNullable<OtherTenant['keyword']>, account: unknown): string[] {
  const { id, text, site } = keyword;
  const unique = text.split(' ').at(-1) ?? text;
  const search = (words: string): string => `search=${encodeURIComponent(words)}`;
  return [
    search(text),
    search(`nothing ${unique}`),
    search(`nothing,${unique}`),
    search(`nothing OR ${unique}`),
    `q=${unique}`,
    `keyword=${encodeURIComponent(text)}`,
    `id=${id}`,
    `id__in=${id}`,
    ...(account === undefined ? [] : ['account', 'account_id'].map((name) => `${name}=${String(account)}`)),
    ...(site === undefined ? [] : [`site=${site}`, `${search(unique)}&site_id=${site}`]),
    'ordering=-id&page_size=1000',
    'all=true',
  ];
}

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
  const asked = async (query: string): Promise<void> => {
    const answer = await check.raw(
      jsonRequest('GET', `${check.api.path('listKeywords')}?${query}`, undefined, { access }),
    );
    expect(answer, 'the list').toSatisfy(
      keyword === undefined || answer.status >= 400 || !answer.text.includes(keyword.text),
      "no row of another account's",
      "another account's row is in it",
    );
  };
  const queries = keyword === undefined ? [] : queriesFor(keyword, other.account);
  await check.eachRow(
    [
      ...(keyword?.site === undefined
        ? []
        : [{ name: "the rows of another account's site", judge: () => asked(`site_id=${keyword.site ?? ''}`) }]),
      ...queries.map((query) => ({ name: `?${query}`, judge: () => asked(query) })),
      { name: 'two users at once', judge: () => judgeAtOnce(check, access, other, own, theirs) },
    ],
    ({ judge }) => judge(),
  );
});

/** Ways to name a site that two readers of a query may understand differently; whoever does not know one may leave it out. */
function spellingsOf(site: string, open: string): string[] {
  return [
    `site_id=0${site}`,
    `site_id=%2B${site}`,
    `site_id=${site}%20`,
    `site_id=${site}.0`,
    `site_id=${open},${site}`,
    `site_id[]=${site}`,
    `site_id__in=${open},${site}`,
    `site=${site}`,
    `siteId=${site}`,
  ];
}

clause('FOR-07', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const site = check.target.deniedSite ?? '';
  const list = (query: string, who = viewer): Promise<Reply> =>
    check.raw(jsonRequest('GET', `${check.api.path('listKeywords')}?${query}`, undefined, who));
  const owners = await list(`site_id=${encodeURIComponent(site)}`, await check.session());
  const there = (exactRows(owners) ?? []).filter((row) => siteOf(row) === site);
  const hidden = there.map((row) => idOf(row) ?? '');
  const seen = await listed(check, viewer.access);
  const open = siteOf(seen.rows[0]) ?? '1';
  const { id: foreign } = await foreignResource(check).catch(() => ({ id: undefined }));
  if (seen.rows.some((row) => idOf(row) === foreign))
    throw new Blocked('FOR-06', "the viewer's list holds another account's row", seen.reply.exchange);
  const refused = async (query: string): Promise<void> => {
    expect(await list(query), 'the rows of a site without access').toHaveStatus(403);
  };
  const shownNothing = async (query: string): Promise<void> => {
    const reply = await list(query);
    expect(reply, 'the list').toBeNoServerError();
    expect(reply, 'the list').toSatisfy(
      !(exactRows(reply) ?? []).some((row) => hidden.includes(idOf(row) ?? '')),
      'no row of a site without access',
      'a row of it is there',
    );
  };
  const byId = async (row: unknown): Promise<void> => {
    const reply = await check.api.getResource(check.api.path('getKeyword', idOf(row)), viewer);
    const texts = Object.values(row as object).filter((value) => typeof value === 'string');
    expect(reply, 'a row of a site without access').toBeNoServerError();
    expect(reply, 'a row of a site without access').toSatisfy(
      reply.status >= 400 || texts.length === 0 || !texts.every((text) => reply.text.includes(text)),
      'not shown',
      seenStatus(reply),
    );
  };
  const plain = `site_id=${encodeURIComponent(site)}`;
  await check.eachRow(
    [
      ...[plain, `${plain}&page=1&page_size=5`, `search=e&${plain}`, `ordering=-id&${plain}`].map((query) => ({
        name: `?${query}`,
        judge: () => refused(query),
      })),
      ...there.slice(0, 1).map((row) => ({ name: 'one of its rows, by its id', judge: () => byId(row) })),
      // Only what would be seen can be looked for.
      ...(hidden.length === 0 ? [] : ['', ...spellingsOf(site, open)]).map((query) => ({
        name: `?${query}`,
        judge: () => shownNothing(query),
      })),
    ],
    ({ judge }) => judge(),
  );
});

clause('FOR-08', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const decoded = decode(viewer.access);
  if (decoded === undefined) throw new Blocked('TOK-01', 'the access token is no compact JWS');
  const spoiled = `${decoded.parts[0]}.${decoded.parts[1]}.${flipped(decoded.parts[2], 'first')}`;
  const reply = await check.api.createKeyword(aKeyword(check).body, { access: spoiled });
  await check.expectAuthorized(viewer.access);
  await expectUnauthenticated(check, reply, 'a write that the user may not make, with a spoiled token');
});

/** Claims by which servers have been seen to decide, each set to the most that it can give. */
const WIDER = {
  role: 'owner',
  roles: ['owner'],
  is_staff: true,
  is_superuser: true,
  is_admin: true,
  scope: 'write admin',
};

clause('FOR-09', async (check) => {
  const viewer = await check.session(check.target.viewer);
  await check.expectAuthorized(viewer.access);
  const key = await provenKey(check, viewer.access);
  const { reply } = await refusedWrite(check);
  if (reply.status !== 403)
    throw new Blocked('FOR-01', `a viewer's write is not answered with 403: ${seenStatus(reply)}`);
  const forged = resign(viewer.access, key, { claims: WIDER });
  const write = await check.api.createKeyword(aKeyword(check).body, { access: forged });
  expect(write, 'a write with a role forged into the token').toBeRefused();
  if (!check.target.capabilities.includes('foreign')) return;
  // The account of the foreign resource where it is known, else those beside one's own: ids are given out in order.
  const owner = await check.session();
  const foreign = check.target.register ? await otherTenantsResource(check) : await foreignResource(check);
  const plain = await check.api.getResource(foreign.path, owner);
  if (plain.status !== 403 && plain.status !== 404) {
    throw new Blocked('FOR-04', `another account's resource is answered with ${seenStatus(plain)} as it is`);
  }
  const own = accountId(owner.user);
  const near = Number.isInteger(own) ? [1, -1, 2, -2].map((step) => Number(own) + step) : [];
  await check.eachRow(
    named(
      foreign.account === undefined ? near : [foreign.account],
      () => "another account's resource, with another account forged into the token",
    ),
    async ({ value: account }) => {
      const claims = { account_id: account, account, tenant_id: account };
      const read = await check.api.getResource(foreign.path, {
        access: resign(owner.access, key, { claims }),
      });
      expect(read).toBeRefused();
    },
  );
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
  const { site } = other.keyword;
  const asGiven = (id: string): string | number => (/^\d{1,15}$/.test(id) ? Number(id) : id);
  const names = [
    ...(site === undefined ? [] : [{ name: 'site_id', value: asGiven(site) }]),
    ...(other.account === undefined ? [] : ['account', 'account_id'].map((name) => ({ name, value: other.account }))),
  ];
  if (names.length === 0) throw new Unverified("Neither the other account's id nor a site of it is known.");
  const spelled = ({ name, value }: (typeof names)[number]): readonly (readonly [string, unknown])[] => [
    [name, value],
    ...(name === 'site_id' ? [[name, String(value)] as const] : []),
  ];
  const rows = [
    ...names.flatMap(spelled).map(([name, value]) => ({
      name: `POST with \`${name}\`${typeof value === 'string' ? ' as a string' : ''} in the body`,
      query: '',
      more: { [name]: value },
      method: 'POST',
    })),
    ...names.map(({ name, value }) => ({
      name: `POST with \`${name}\` in the query`,
      query: `?${name}=${String(value)}`,
      more: {},
      method: 'POST',
    })),
    // One's own row, moved to where it does not belong.
    ...['PATCH', 'PUT'].flatMap((method) =>
      names.map(({ name, value }) => ({
        name: `${method} with \`${name}\` in the body`,
        query: '',
        more: { [name]: value },
        method,
      })),
    ),
  ];
  const mine = await madeBy(check, owner);
  const methods = await methodsOf(check, owner, mine);
  const asked = rows.filter(({ method }) => method === 'POST' || methods.includes(method));
  const sent: { readonly name: string; readonly text: string; readonly reply: Reply }[] = [];
  for (const { name, query, more, method } of asked) {
    const { text, body } = aKeyword(check);
    const path = method === 'POST' ? check.api.path('createKeyword') : mine.path;
    sent.push({
      name,
      text,
      reply: await check.raw(jsonRequest(method, `${path}${query}`, { ...body, ...more }, owner)),
    });
  }
  const theirs = await listed(check, other.access);
  await check.eachRow(sent, async ({ text, reply }) => {
    expect(theirs.reply, "the other account's list").toSatisfy(
      !theirs.rows.some((row) => JSON.stringify(row).includes(text)),
      'as before',
      'the new row is in it',
    );
    const { id } = other.keyword ?? {};
    const shown =
      reply.status < 500 || id === undefined
        ? undefined
        : await check.api.getResource(check.api.path('getKeyword', id), owner);
    if (shown?.status === reply.status)
      throw new Blocked('FOR-04', `what is another's is refused with ${seenStatus(shown)}`, shown.exchange);
    expect(reply, 'the write').toBeRefused();
  });
  await remove(check, owner, mine);
});

/** The methods with which one's own row can be changed. */
async function methodsOf(check: Check, owner: { readonly access: string }, { path }: OwnRow): Promise<string[]> {
  const methods: string[] = [];
  for (const method of ['PATCH', 'PUT']) {
    const own = await check.raw(jsonRequest(method, path, aKeyword(check).body, owner));
    if (own.status < 300) methods.push(method);
  }
  return methods;
}

interface Rows {
  readonly owner: { readonly access: string };
  readonly other: OtherTenant;
  readonly mine: OwnRow;
  readonly theirs: OwnRow;
}

/** The other tenant's row stands as it was made, and the request was refused. */
async function judgeForeign(
  check: Check,
  request: Sendable,
  { owner, other, theirs }: Rows,
  statuses: number[],
): Promise<void> {
  const reply = await check.raw(request);
  const read = (): Promise<Reply> => check.api.getResource(theirs.path, other);
  const after = await read();
  // A row that is there now and then is JRN-07's.
  if (after.status === 404) expect(await read(), 'the row, read by its owner').toHaveStatus(200);
  else expect(after, 'the row, read by its owner').toHaveStatus(200);
  expect(after, 'the row').toSatisfy(after.status === 404 || after.text.includes(theirs.text), 'as it was', 'changed');
  // How this target refuses to show the row, FOR-04 judges.
  const shown = reply.status > 499 ? await check.api.getResource(theirs.path, owner) : undefined;
  if (shown?.status === reply.status) throw new Blocked('FOR-04', `the row is refused with ${seenStatus(shown)}`);
  // An id in the body of a new row may be left out: then it is a row of one's own.
  if (request.path === check.api.path('createKeyword')) expect(reply, 'the write').toBeNoServerError();
  else if (statuses.length > 0) expect(reply, "another account's row").toHaveStatus(...statuses);
  else expect(reply, "another account's row").toBeRefused();
}

/** One method; before it, the same against one's own row: that tells whether the target has the method. */
async function judgeForeignWrite(check: Check, method: string, rows: Rows): Promise<void> {
  const { owner, mine, theirs } = rows;
  const body = method === 'DELETE' ? undefined : aKeyword(check).body;
  const own = await check.raw(jsonRequest(method, mine.path, body, owner));
  check.measure(`${method} of one's own row`, String(own.status));
  const request = jsonRequest(method, theirs.path, body, owner);
  await judgeForeign(check, request, rows, own.status < 300 ? [403, 404] : []);
}

/** Methods that a framework may read out of a header or the query of a POST. */
const OVERRIDDEN = ['PUT', 'PATCH', 'DELETE'];

clause('FOR-11', async (check) => {
  const other = await otherTenant(check);
  if (other === undefined || !check.target.write)
    throw new Unverified('There is no second account in this run: set IGNY8_REGISTER=on.');
  const owner = await check.session();
  const rows = { owner, other, mine: await madeBy(check, owner), theirs: await madeBy(check, other) };
  try {
    await readable(check, other, rows.theirs);
    const override = (method: string): Promise<void> => {
      const request = jsonRequest('POST', `${rows.theirs.path}?_method=${method}`, aKeyword(check).body, {
        ...owner,
        headers: [['x-http-method-override', method]],
      });
      return judgeForeign(check, request, rows, []);
    };
    const { id } = rows.theirs;
    const withItsId = (): Promise<void> => {
      const body = { ...aKeyword(check).body, id: /^\d{1,15}$/.test(id) ? Number(id) : id };
      return judgeForeign(check, check.api.request('createKeyword', body, owner), rows, []);
    };
    // What deletes comes last: one row of each is enough for all of them.
    await check.eachRow(
      [
        ...['PATCH', 'PUT'].map((method) => ({ name: method, judge: () => judgeForeignWrite(check, method, rows) })),
        ...OVERRIDDEN.map((method) => ({
          name: `POST that says ${method} in a header`,
          judge: () => override(method),
        })),
        { name: 'POST of a new row with its id', judge: withItsId },
        { name: 'DELETE', judge: () => judgeForeignWrite(check, 'DELETE', rows) },
      ],
      ({ judge }) => judge(),
    );
  } finally {
    await remove(check, owner, rows.mine);
    await remove(check, other, rows.theirs);
  }
});
