/** Writes to what another tenant has (FOR-10, FOR-11). */
import { type Check, Blocked } from '../../../fixtures/check/check.js';
import { type OwnRow, aKeyword, type OtherTenant } from './resources.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import type { Judged } from '../accounts/accounts.js';
import { dependsOnAlike } from '../journeys/alike-workers.js';

/** The methods with which one's own row can be changed. */
export async function methodsOf(check: Check, owner: { readonly access: string }, { path }: OwnRow): Promise<string[]> {
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
export async function judgeForeign(
  check: Check,
  request: Sendable,
  { owner, other, theirs }: Rows,
  statuses: number[],
): Promise<void> {
  const reply = await check.raw(request);
  const read = (): Promise<Reply> => check.api.getResource(theirs.path, other);
  const after = await read();
  if (after.status === 401) await dependsOnAlike(check, jsonRequest('GET', theirs.path, undefined, other));
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
export async function judgeForeignWrite(check: Check, method: string, rows: Rows): Promise<void> {
  const { owner, mine, theirs } = rows;
  const body = method === 'DELETE' ? undefined : aKeyword(check).body;
  const own = await check.raw(jsonRequest(method, mine.path, body, owner));
  check.measure(`${method} of one's own row`, String(own.status));
  const request = jsonRequest(method, theirs.path, body, owner);
  await judgeForeign(check, request, rows, own.status < 300 ? [403, 404] : []);
}

/** Methods that a framework may read out of a header or the query of a POST. */
export const OVERRIDDEN = ['PUT', 'PATCH', 'DELETE'];

/** Each way to change the other tenant's row. What deletes comes last: one row of each tenant is enough for all of them. */
export function foreignWrites(check: Check, rows: Rows): Judged[] {
  const { owner, theirs } = rows;
  const override = (method: string): Promise<void> => {
    const headers = [['x-http-method-override', method] as const];
    const path = `${theirs.path}?_method=${method}`;
    return judgeForeign(check, jsonRequest('POST', path, aKeyword(check).body, { ...owner, headers }), rows, []);
  };
  const withItsId = (): Promise<void> => {
    const { id } = theirs;
    const body = { ...aKeyword(check).body, id: /^\d{1,15}$/.test(id) ? Number(id) : id };
    return judgeForeign(check, check.api.request('createKeyword', body, owner), rows, []);
  };
  return [
    ...['PATCH', 'PUT'].map((method) => ({ name: method, judge: () => judgeForeignWrite(check, method, rows) })),
    ...OVERRIDDEN.map((method) => ({ name: `POST that says ${method} in a header`, judge: () => override(method) })),
    { name: 'POST of a new row with its id', judge: withItsId },
    { name: 'DELETE', judge: () => judgeForeignWrite(check, 'DELETE', rows) },
  ];
}
