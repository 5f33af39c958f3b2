/** Keywords of one's own and of others: what the clauses about access look at. */
import { randomBytes } from 'node:crypto';
import { Blocked, Unverified, type Check } from '../../../fixtures/check/check.js';
import type { Account } from '../../../fixtures/check/accounts.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import { asObject, type JsonObject } from '../../../fixtures/evidence/json.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import { exactPayload, exactRows, exactUser, idOf, idText } from '../responses/exact.js';

/** Pages of a list that are read to find one row. */
const PAGES = 20;

/**
 * The body of a valid `POST planner/keywords/`, with a text in it that occurs nowhere else.
 * @param more letters that the text has besides
 */
export function aKeyword(
  { target, services }: Check,
  more = '',
): {
  readonly text: string;
  readonly body: Record<string, unknown>;
} {
  const text = `conformance ${services.runId} ${randomBytes(5).toString('hex')}${more}`;
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll('…', text);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member)]));
  };
  return { text, body: fill(target.keywordBody) as Record<string, unknown> };
}

/** The rows of `GET planner/keywords/`, over its pages. Depends on JRN-01 and, for the form of a list, on ENV-08. */
export async function listed(check: Check, access: string): Promise<{ rows: unknown[]; reply: Reply }> {
  const rows: unknown[] = [];
  for (let page = 1; ; page += 1) {
    const reply =
      page === 1 ? await check.expectAuthorized(access) : await check.api.listKeywords({ access }, { page });
    const found = exactRows(reply);
    if (found === undefined) {
      if (page > 1) return { rows, reply };
      throw new Blocked('ENV-08', 'there are no rows in the list', reply.exchange);
    }
    rows.push(...found);
    if (typeof reply.object?.['next'] !== 'string' || page >= PAGES) return { rows, reply };
  }
}

/** The id of the tenant's account that a user belongs to; undefined where the target does not tell it. */
export function accountId(user: JsonObject): unknown {
  return asObject(user['account'])?.['id'] ?? user['account_id'];
}

/** The slug of that account, likewise. */
export function accountSlug(user: JsonObject): unknown {
  return asObject(user['account'])?.['slug'];
}

/** The id of the site that a row belongs to, where the row tells it. */
export function siteOf(row: unknown): string | undefined {
  const { site_id: id, site } = (row ?? {}) as Readonly<Record<string, unknown>>;
  return idText(id ?? site);
}

/** A second account of this run, with a keyword of its own where it could make one. */
export interface OtherTenant {
  readonly credentials: Account;
  readonly access: string;
  /** The user as login or register returned it. */
  readonly user: JsonObject;
  /** Id of its account, where that is known. */
  readonly account?: unknown;
  readonly keyword?: { readonly id: string; readonly text: string; readonly site?: string };
  /** Why it has no keyword. */
  readonly obstacle?: string;
}

/**
 * Somebody else, made once per run; undefined where the run may register nobody, or who registers gets no account of their own
 * (REG-14).
 */
export async function otherTenant(check: Check): Promise<OtherTenant | undefined> {
  if (!check.accounts.canRegister) return undefined;
  const other = await newOtherTenant(check);
  const own = accountId((await check.session()).user);
  // Both as strings: one of them may have been too long for a number.
  return own !== undefined && idText(other.account) === idText(own) ? undefined : other;
}

function newOtherTenant(check: Check): Promise<OtherTenant> {
  return check.once<OtherTenant>('other tenant', async () => {
    const { access, reply: login, account: made } = await check.registerAndLogin();
    const account = accountId(exactUser(login));
    const { email, password, username } = made;
    const credentials = { email, password, ...(username === undefined ? {} : { username }) };
    const known = { credentials, access, user: exactUser(login), ...(account === undefined ? {} : { account }) };
    if (!check.target.write) return known;
    const { text, body } = aKeyword(check);
    const reply = await check.api.createKeyword(body, { access });
    const row = exactPayload(reply);
    const id = idText(row['id']);
    if (reply.status > 299 || id === undefined) {
      const obstacle =
        `No keyword could be made in a second account (${seenStatus(reply)}): set IGNY8_KEYWORD_BODY, or ` +
        `IGNY8_FOREIGN_RESOURCE to a resource of another tenant.`;
      return { ...known, obstacle };
    }
    const site = siteOf(row);
    return { ...known, keyword: { id, text, ...(site === undefined ? {} : { site }) } };
  });
}

/** The control of what a list must not hold: plainly asked, it does not hold it. @throws Blocked by FOR-06 */
export async function dependsOnOwnRows(check: Check, access: string, { keyword }: OtherTenant): Promise<void> {
  const reply = await check.expectAuthorized(access);
  if (keyword !== undefined && reply.text.includes(keyword.text))
    throw new Blocked('FOR-06', "the list holds another account's row as it is");
}

export interface ForeignResource {
  /** Below the base URL. */
  readonly path: string;
  readonly id: string;
  /** Its own text, where this run made it. */
  readonly text?: string;
  /** Id of the account that it belongs to, where known. */
  readonly account?: unknown;
}

/** A resource of another account: the given one, or one that a second account of this run makes. */
export async function foreignResource(check: Check): Promise<ForeignResource> {
  const given = check.target.foreignResource;
  if (given !== undefined) return { path: given, id: /([^/]+)\/?$/.exec(given)?.[1] ?? '' };
  return otherTenantsResource(check);
}

/** @throws Unverified if there is nobody else, or nothing that is theirs */
export async function otherTenantsResource(check: Check): Promise<ForeignResource> {
  const other = await otherTenant(check);
  if (other?.keyword === undefined) {
    throw new Unverified(other?.obstacle ?? 'There is no second account in this run: set IGNY8_FOREIGN_RESOURCE.');
  }
  const { id, text } = other.keyword;
  const path = check.api.path('getKeyword', id);
  const own = await check.api.getResource(path, other);
  if (own.status !== 200) {
    throw new Unverified(
      `The second account cannot read its own keyword (${seenStatus(own)}), so nothing is shown by refusing it.`,
    );
  }
  return { path, id, text, ...(other.account === undefined ? {} : { account: other.account }) };
}

/** A row that a check made, and may change and delete. */
export interface OwnRow {
  readonly id: string;
  /** Below the base URL. */
  readonly path: string;
  readonly text: string;
}

/** A new keyword of whoever the token belongs to. @throws Unverified if none can be made */
export async function madeBy(check: Check, { access }: { readonly access: string }): Promise<OwnRow> {
  const { text, body } = aKeyword(check);
  const made = await check.api.createKeyword(body, { access });
  const id = idText(exactPayload(made)['id']);
  if (made.status > 299 || id === undefined)
    throw new Unverified(`${check.api.path('createKeyword')} returned ${seenStatus(made)}: set IGNY8_KEYWORD_BODY.`);
  return { id, path: check.api.path('getKeyword', id), text };
}

/** The same; undefined where the run may not write, or the target takes no such row. */
export async function rowOfOnesOwn(check: Check, access: string): Promise<OwnRow | undefined> {
  if (!check.target.write) return undefined;
  try {
    return await madeBy(check, { access });
  } catch (error) {
    if (error instanceof Unverified) return undefined;
    throw error;
  }
}

/** Milliseconds between two looks, and how often: a replica may lag behind what was just written. */
const LOOK_AGAIN_MS = 500;
const LOOKS = 12;

/** The row is there for whoever made it. @throws Unverified if it is not, after a while */
export async function readable(check: Check, who: { readonly access: string }, row: OwnRow): Promise<void> {
  for (let look = 1; ; look += 1) {
    const reply = await check.api.getResource(row.path, who);
    if (reply.status === 200 && reply.text.includes(row.text)) return;
    if (look === LOOKS)
      throw new Unverified(`A keyword that was just made cannot be read by whoever made it: ${seenStatus(reply)}.`);
    await check.sleep(LOOK_AGAIN_MS);
  }
}

/** Takes a row of the run's own away again, where the target can; whatever comes of it is not judged. */
export async function remove(check: Check, { access }: { readonly access: string }, { path }: OwnRow): Promise<void> {
  await check.raw(jsonRequest('DELETE', path, undefined, { access })).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
  });
}

/** The other tenant's session; a new one only where the first is over, because some servers give a user one at a time. */
async function sessionOf(check: Check, other: OtherTenant): Promise<Pick<Somebody, 'access' | 'account' | 'user'>> {
  const { access, user, credentials: account } = other;
  if ((await check.askProtected(access)).status === 200) return { access, account, user };
  return check.session(account);
}

/** Somebody who asks, with a row of their own. */
export interface Somebody {
  readonly access: string;
  readonly account: Account;
  readonly user: JsonObject;
  /** A row that exists and that they may read. */
  readonly path?: string;
  /** The same row, where the run made it in an account that it made: it may be changed. */
  readonly row?: OwnRow;
}

/**
 * Somebody to ask the protected routes as: of an account that the run made where it may make one, with a new row that only this check
 * knows; else the account that the run was given, for reading only.
 */
export async function somebody(check: Check): Promise<Somebody> {
  const other = await otherTenant(check);
  const { access, account, user } = other === undefined ? await check.session() : await sessionOf(check, other);
  await check.expectAuthorized(access);
  if (other !== undefined && check.target.write) {
    const row = await madeBy(check, { access }).catch((error: unknown) => {
      if (error instanceof Unverified) return undefined;
      throw error;
    });
    if (row !== undefined) return { access, account, user, row, path: row.path };
  }
  const id = idOf((await listed(check, access)).rows[0]);
  return { access, account, user, ...(id === undefined ? {} : { path: check.api.path('getKeyword', id) }) };
}
