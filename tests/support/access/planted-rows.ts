/** Rows of one's own, put or moved to where they do not belong: into another tenant's account or site (FOR-10). */
import { jsonRequest } from '../../../fixtures/check/api.js';
import { Unverified, type Check } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { type OtherTenant, type OwnRow, aKeyword } from './resources.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import { Blocked } from '../../../fixtures/check/findings.js';

/** A request that names the other tenant's account or site. */
export interface Planting {
  readonly name: string;
  readonly method: string;
  /** `?…`, or empty. */
  readonly query: string;
  /** Fields besides those of a good keyword. */
  readonly more: Readonly<Record<string, unknown>>;
}

/** What came of it. */
export interface Planted {
  readonly name: string;
  /** The text of the keyword that was sent. */
  readonly text: string;
  readonly reply: Reply;
}

/** An id as a body has it: a number where it looks like one and is exact as one. */
export function idAsGiven(id: string): string | number {
  return /^\d{1,15}$/.test(id) ? Number(id) : id;
}

/** @throws Unverified if neither the other's account nor its site is known */
export function plantings({ account, keyword }: OtherTenant): Planting[] {
  const site = keyword?.site;
  const names = [
    ...(site === undefined ? [] : [{ name: 'site_id', value: idAsGiven(site) }]),
    ...(account === undefined ? [] : ['account', 'account_id'].map((name) => ({ name, value: account }))),
  ];
  if (names.length === 0) throw new Unverified("Neither the other account's id nor a site of it is known.");
  const spelled = ({ name, value }: (typeof names)[number]): readonly (readonly [string, unknown])[] => [
    [name, value],
    ...(name === 'site_id'
      ? [
          [name, String(value)] as const,
          // As a writable nested serializer takes it.
          ['site', { id: value }] as const,
        ]
      : []),
  ];
  return [
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
}

/** @param mine the row of one's own that PATCH and PUT are about */
export async function plant(
  check: Check,
  owner: { readonly access: string },
  mine: OwnRow,
  { name, method, query, more }: Planting,
): Promise<Planted> {
  const { text, body } = aKeyword(check);
  const path = method === 'POST' ? check.api.path('createKeyword') : mine.path;
  const reply = await check.raw(jsonRequest(method, `${path}${query}`, { ...body, ...more }, owner));
  return { name, text, reply };
}

/** The other tenant's list is as it was, and the write was refused. @param theirs their list after all of them */
export async function judgePlanted(
  check: Check,
  owner: { readonly access: string },
  { keyword }: OtherTenant,
  theirs: { readonly rows: readonly unknown[]; readonly reply: Reply },
  { text, reply }: Planted,
): Promise<void> {
  expect(theirs.reply, "the other account's list").toSatisfy(
    !theirs.rows.some((row) => JSON.stringify(row).includes(text)),
    'as before',
    'the new row is in it',
  );
  const shown =
    reply.status < 500 || keyword === undefined
      ? undefined
      : await check.api.getResource(check.api.path('getKeyword', keyword.id), owner);
  if (shown?.status === reply.status)
    throw new Blocked('FOR-04', `what is another's is refused with ${seenStatus(shown)}`, shown.exchange);
  expect(reply, 'the write').toBeRefused();
}
