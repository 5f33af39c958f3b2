/** Keywords of one's own and of others: what the clauses about access look at. */
import { randomBytes } from 'node:crypto';
import { Blocked, Unverified, type Check } from '../../fixtures/check/check.js';
import { seenStatus } from '../../fixtures/check/expect.js';
import type { Reply } from '../../fixtures/evidence/reply.js';
import type { Credentials } from '../../fixtures/run/target.js';

/** Pages of a list that are read to find one row. */
const PAGES = 20;

/** The body of a valid `POST planner/keywords/`, with a text in it that occurs nowhere else. */
export function aKeyword({ target, services }: Check): {
  readonly text: string;
  readonly body: Record<string, unknown>;
} {
  const text = `conformance ${services.runId} ${randomBytes(5).toString('hex')}`;
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll('…', text);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fill(member)]));
  };
  return { text, body: fill(target.keywordBody) as Record<string, unknown> };
}

/** The rows of a list: `results`, or what the guide's own envelope has in `data`. */
export function rowsIn(body: Record<string, unknown> | undefined): unknown[] | undefined {
  const data = body?.['data'];
  const members: unknown[] = typeof data === 'object' && data !== null ? Object.values(data) : [];
  return [body?.['results'], data, ...members].find((found): found is unknown[] => Array.isArray(found));
}

/** The rows of `GET planner/keywords/`, over its pages. Rests on JRN-01 and, for the form of a list, on ENV-08. */
export async function listed(check: Check, access: string): Promise<{ rows: unknown[]; reply: Reply }> {
  const rows: unknown[] = [];
  for (let page = 1; ; page += 1) {
    const reply = page === 1 ? await check.opens(access) : await check.api.listKeywords({ access }, { page });
    const body = reply.object;
    const found = rowsIn(body);
    if (found === undefined) {
      if (page > 1) return { rows, reply };
      throw new Blocked('ENV-08', 'the list has no `results`');
    }
    rows.push(...found);
    if (typeof body?.['next'] !== 'string' || page >= PAGES) return { rows, reply };
  }
}

/** A second account of this run, with a keyword of its own where it could make one. */
export interface Stranger {
  readonly credentials: Credentials;
  readonly access: string;
  /** Id of its account, where that is known. */
  readonly account?: unknown;
  readonly keyword?: { readonly id: string; readonly text: string; readonly site?: string };
  /** Why it has no keyword. */
  readonly obstacle?: string;
}

/** Somebody else, made once per run; undefined where the run may register nobody, or who registers gets no account of their own (REG-14). */
export async function stranger(check: Check): Promise<Stranger | undefined> {
  if (!check.target.register) return undefined;
  const other = await newStranger(check);
  const own = ((await check.session()).user['account'] as { id?: unknown } | undefined)?.id;
  return own !== undefined && other.account === own ? undefined : other;
}

function newStranger(check: Check): Promise<Stranger> {
  return check.once<Stranger>('stranger', async () => {
    const { access, user, account: made } = await check.arrive();
    const account = (user['account'] as { id?: unknown } | undefined)?.id;
    const credentials = { email: made.email, password: made.password };
    const known = { credentials, access, ...(account === undefined ? {} : { account }) };
    if (!check.target.write) return known;
    const { text, body } = aKeyword(check);
    const reply = await check.api.createKeyword(body, { access });
    const row = reply.data ?? reply.object ?? {};
    const { id } = row;
    if (reply.status > 299 || (typeof id !== 'number' && typeof id !== 'string')) {
      const obstacle = `No keyword could be made in a second account (${seenStatus(reply)}): set IGNY8_KEYWORD_BODY, or IGNY8_FOREIGN_RESOURCE to a resource of another tenant.`;
      return { ...known, obstacle };
    }
    const site = row['site_id'] ?? row['site'];
    const where = typeof site === 'number' || typeof site === 'string' ? { site: String(site) } : {};
    return { ...known, keyword: { id: String(id), text, ...where } };
  });
}

/** The control of what a list must not hold: plainly asked, it does not hold it. @throws Blocked by FOR-06 */
export async function restsOnOwnRows(check: Check, access: string, { keyword }: Stranger): Promise<void> {
  const reply = await check.opens(access);
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
  return strangersResource(check);
}

/** @throws Unverified if there is nobody else, or nothing that is theirs */
export async function strangersResource(check: Check): Promise<ForeignResource> {
  const other = await stranger(check);
  if (other?.keyword === undefined) {
    throw new Unverified(other?.obstacle ?? 'There is no second account in this run: set IGNY8_FOREIGN_RESOURCE.');
  }
  const { id, text } = other.keyword;
  const path = `planner/keywords/${id}/`;
  const own = await check.api.getResource(path, other);
  if (own.status !== 200) {
    throw new Unverified(
      `The second account cannot read its own keyword (${seenStatus(own)}), so nothing is shown by refusing it.`,
    );
  }
  return { path, id, text, ...(other.account === undefined ? {} : { account: other.account }) };
}
