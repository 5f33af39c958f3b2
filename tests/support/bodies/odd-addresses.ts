/** Ids and queries of lists that no row has, or that spell somebody else's in another way (ROB-11). */
import { type OtherTenant, listed, siteOf, aKeyword } from '../access/resources.js';
import { type Check, Blocked, Unverified } from '../../../fixtures/check/check.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { listOf } from '../access/denied-site.js';
import { exactRows } from '../responses/exact.js';
import type { Judged } from '../accounts/accounts.js';

/** Ids that no row has, below the base. */
export const ODD_IDS = [
  '99999999999999999999',
  '2147483648',
  '-1',
  'abc',
  '1.5',
  '%C2%B2',
  '%00',
  '%27%20OR%201=1',
  'x'.repeat(3000),
];

/** Query parameters of lists, with values that servers have been seen to fall over. */
export const ODD_QUERIES = [
  ...['0', 'abc', '%C2%B2', '99999999999999999999'].map((value) => ['page', value]),
  ...['0', '-1'].map((value) => ['page_size', value]),
  // One more than a column of 32 bits holds.
  ...['abc', '2147483648', '%00'].map((value) => ['site_id', value]),
  ...['%00', '%27%22%25', '%F0%9F%98%80', 'x'.repeat(3000)].map((value) => ['search', value]),
  ...['no_such_field', '%00'].map((value) => ['ordering', value]),
  ['page', '1&page=2'],
  ['ordering', 'id&ordering=keyword'],
  ['search', 'a&search=b'],
  ['site_id', '1&site_id=abc'],
  ['page[]', '2'],
  ['site_id[$ne]', '0'],
  ['account_id', '99999999999999999999'],
  ['format', 'api'],
  ['site_id', ''],
  ['search', '&ordering=&page=&page_size=&account_id='],
].map(([name = '', value = '']) => `?${name}=${value}`);

/** Spellings of the id of somebody else's row, and of their site together with one's own: no reading of them shows it. */
export function oddlyTheirs({ id, site }: NonNullable<OtherTenant['keyword']>, own: string | undefined): string[] {
  return [
    ...[`0${id}`, `${id}.0`, `${id}%20`, `%2B${id}`].map((odd) => `${odd}/`),
    ...(site === undefined || own === undefined
      ? []
      : [
          `?site_id=${own}&site_id=${site}`,
          `?site_id=${site}&site_id=${own}`,
          `?site_id[]=${site}`,
          `?site_id=${own},${site}`,
          `?site_id=0${site}`,
          `?site_id=${site}.0`,
        ]),
  ];
}

/** @throws Blocked by FOR-04 if what is another's is refused with this status as it is */
export async function dependsOnRefusal(
  check: Check,
  access: string,
  theirs: OtherTenant['keyword'],
  status: number,
): Promise<void> {
  if (theirs === undefined) return;
  const plain = await check.api.getResource(check.api.path('getKeyword', theirs.id), { access });
  if (plain.status === status)
    throw new Blocked('FOR-04', `another account's row is refused with ${seenStatus(plain)}`, plain.exchange);
}

/** Methods that change a row, for ids that none has. */
export const CHANGES = [
  ...['99999999999999999999', '%00'].map((id) => ({ method: 'PATCH', path: `${id}/` })),
  ...['2147483648', 'abc'].map((id) => ({ method: 'DELETE', path: `${id}/` })),
];

/** The viewer's own way to a site without access: the site named twice, once as one of theirs. */
export async function judgeViewersSite(check: Check): Promise<void> {
  const viewer = await check.session(check.target.viewer);
  const site = check.target.deniedSite ?? '';
  const { rows } = await listed(check, viewer.access);
  const open = siteOf(rows[0]);
  if (open === undefined) throw new Unverified('The rows of the list name no site.');
  const shows = (reply: Reply): boolean => (exactRows(reply) ?? []).some((row) => siteOf(row) === site);
  const once = await listOf(check, viewer, `site_id=${encodeURIComponent(site)}`);
  if (shows(once)) throw new Blocked('FOR-07', 'a site without access is shown as it is', once.exchange);
  for (const query of [`site_id=${open}&site_id=${site}`, `site_id=${site}&site_id=${open}`]) {
    const reply = await listOf(check, viewer, query);
    expect(reply, `?${query}`).toBeNoServerError();
    expect(reply, `?${query}`).toSatisfy(!shows(reply), 'no row of a site without access', 'a row of it is there');
  }
}

interface OddRequest {
  readonly method: string;
  /** Below the list. */
  readonly path: string;
  /** It must not find anything: an id that no row has. */
  readonly nowhere: boolean;
}

/** Ignored, or refused with a 4xx; nothing of somebody else's is shown. */
async function judgeOddRequest(
  check: Check,
  access: string,
  { method, path, nowhere }: OddRequest,
  theirs: OtherTenant['keyword'],
): Promise<void> {
  const body = method === 'GET' || method === 'DELETE' ? undefined : aKeyword(check).body;
  const reply = await check.raw(jsonRequest(method, `${check.api.path('listKeywords')}${path}`, body, { access }));
  if (reply.status > 499) await dependsOnRefusal(check, access, theirs, reply.status);
  expect(reply).toSatisfy(reply.status < 500, 'ignored, or refused with a 4xx', seenStatus(reply));
  // A refusal in all but its status is another clause's.
  if (reply.status < 400 && reply.object?.['success'] === false)
    throw new Blocked('ENV-05', `a refusal gets ${seenStatus(reply)}`, reply.exchange);
  if (nowhere) expect(reply, 'an id that no row has').toBeRefused();
  const shown = theirs !== undefined && reply.text.includes(theirs.text);
  if (shown && theirs.site !== undefined) {
    const plain = await check.api.getResource(`${check.api.path('listKeywords')}?site_id=${theirs.site}`, { access });
    if (plain.text.includes(theirs.text))
      throw new Blocked('FOR-06', "another account's site is listed as it is", plain.exchange);
  }
  expect(reply, 'the response').toSatisfy(!shown, "no row of another account's", "another account's row is in it");
}

/** Odd ids and queries, of reads and of changes. @param own the site of one's own rows, where they name one */
export function oddAddresses(
  check: Check,
  access: string,
  own: string | undefined,
  theirs: OtherTenant['keyword'],
): Judged[] {
  const shown = (text: string): string =>
    text.length > 60 ? `${text.slice(0, 40)}… (${String(text.length)} characters)` : text;
  // A server may read around what is odd in the id of a row that there is; what it finds then must be of one's own.
  const spelled = theirs === undefined ? [] : oddlyTheirs(theirs, own);
  const requests: OddRequest[] = [
    ...ODD_IDS.map((id) => ({ method: 'GET', path: `${id}/`, nowhere: true })),
    ...[...ODD_QUERIES, ...spelled].map((path) => ({ method: 'GET', path, nowhere: false })),
    ...(check.target.write ? CHANGES : []).map((change) => ({ ...change, nowhere: true })),
  ];
  return requests.map((request) => ({
    name: request.method === 'GET' ? shown(request.path) : `${request.method} ${request.path}`,
    judge: () => judgeOddRequest(check, access, request, theirs),
  }));
}
