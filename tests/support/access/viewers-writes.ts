/** What a viewer may not write, tried, and the same by the owner, who may (FOR-01 to FOR-03, FOR-09). */
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { type Check, Unverified, Blocked } from '../../../fixtures/check/check.js';
import { aKeyword, madeBy, readable, remove } from './resources.js';
import { decode } from '../../../fixtures/evidence/jwt.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { dependsOnAlike } from '../journeys/alike-workers.js';

interface Refused {
  readonly text: string;
  readonly reply: Reply;
}

/** The write that a viewer may not make; before it, the same write by the owner, who may. */
export function refusedWrite(check: Check): Promise<Refused> {
  return check.memo('write by a viewer', async () => {
    const viewer = await check.session(check.target.viewer);
    await check.expectAuthorized(viewer.access);
    const allowed = await check.api.createKeyword(aKeyword(check).body, await check.session());
    if (allowed.status < 200 || allowed.status > 299) {
      throw new Unverified(
        `The owner's own POST planner/keywords/ returned ${seenStatus(allowed)}: set IGNY8_KEYWORD_BODY ` +
          `to a body that this target accepts.`,
      );
    }
    const { text, body } = aKeyword(check);
    return { text, reply: await check.api.createKeyword(body, viewer) };
  });
}

/** A viewer's write with an access token that comes from refresh. */
export function refreshedWrite(check: Check): Promise<Reply> {
  return check.memo('write by a refreshed viewer', async () => {
    const mine = await check.chain(check.target.viewer);
    const user = (): unknown => decode(mine.access)?.claims[check.target.dialect.subject];
    const before = user();
    await mine.rotate();
    if (user() !== before) throw new Blocked('REF-02', 'the refreshed access token is not of the same user');
    const write = await check.api.createKeyword(aKeyword(check).body, { access: mine.access });
    if (write.status === 401 && (await check.askProtected(mine.access)).status !== 200)
      throw new Blocked('REF-02', 'the refreshed access token opens nothing', write.exchange);
    return write;
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
    const readByOwner = async (): Promise<Reply> => {
      const reply = await check.api.getResource(row.path, owner);
      if (reply.status === 401) await dependsOnAlike(check, jsonRequest('GET', row.path, undefined, owner));
      return reply;
    };
    const untouched = await readByOwner();
    for (const method of ['PATCH', 'PUT', 'DELETE']) {
      const body = (): ReturnType<typeof aKeyword> | undefined => (method === 'DELETE' ? undefined : aKeyword(check));
      const change = body();
      const reply = await check.raw(jsonRequest(method, row.path, change?.body, viewer));
      const after = await readByOwner();
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
export async function ofChanges(
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

/** @throws Blocked by FOR-01 if the write was not refused: its effect is then no wonder */
export function dependsOnRefusal({ status }: Reply, seen: string): void {
  if (status < 400) throw new Blocked('FOR-01', `a viewer's write is not refused: ${seen}`);
}
