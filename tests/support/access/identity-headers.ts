/** Headers by which a proxy would tell who somebody is: sent by a client, they let nobody in, and change nobody's data. */
import { jsonRequest } from '../../../fixtures/check/api.js';
import { Blocked, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Row } from '../../../fixtures/check/judging.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import type { ClauseId } from '../../../spec/generated/clauses.js';
import { IDENTITY_HEADERS } from './channels.js';
import { idOf } from '../responses/exact.js';
import { liveToken } from '../tokens/live-token.js';
import { validRequests, withHeaders } from './protected-routes.js';
import { idAsGiven } from './planted-rows.js';
import {
  accountId,
  aKeyword,
  dependsOnOwnRows,
  listed,
  otherTenant,
  remove,
  somebody,
  type OtherTenant,
} from './resources.js';
import { atOnce, besideBadToken, expectShut, type Shut } from './shut.js';

type Kind = (typeof IDENTITY_HEADERS)[number]['of'];

interface Told extends Row {
  readonly header: readonly [name: string, value: string];
  readonly of: Kind;
}

/** Who else there is, as identity headers would name them; one's own where this run knows nobody else. */
async function identityHeaders(check: Check, other: OtherTenant | undefined): Promise<Told[]> {
  const { user, account } =
    other === undefined ? await check.session() : { user: other.user, account: other.credentials };
  const identity: Record<Kind, unknown> = {
    email: account.email,
    id: idOf(user),
    account: other?.account === undefined ? accountId(user) : other.account,
  };
  return IDENTITY_HEADERS.flatMap(({ name, of }) => {
    const value = identity[of];
    return typeof value === 'string' || typeof value === 'number'
      ? [{ name: `\`${name}\``, header: [name, String(value)] as const, of }]
      : [];
  });
}

const told = (request: Sendable, headers: readonly Told[]): Sendable =>
  withHeaders(request, ...headers.map(({ header }) => header));

/** Characters of a header like these. */
const LENGTH = 80;

/** Requests without a good token, with all the headers: at every route, alone and together with a bad token. */
async function closedRows(
  check: Check,
  headers: readonly Told[],
  who: Awaited<ReturnType<typeof somebody>>,
): Promise<Shut[]> {
  const routes = await validRequests(check, who);
  return [...routes, ...routes.map((route) => besideBadToken(route, who.access))].flatMap((route) =>
    atOnce(route, 'with the headers of a proxy', headers, LENGTH, told),
  );
}

/** One's own token, together with headers that name somebody else: what a request must not show, or do. */
interface Beside extends Row {
  /** A request, and what its response must not show. Made anew each time: what one wrote is no trace of the next. */
  readonly make: () => { readonly request: Sendable; readonly judge: (reply: Reply) => Promise<void> | void };
  /** The clause that says the same of the request without the headers. */
  readonly owner: ClauseId;
}

/** @throws what `judge` finds: of the header alone that does it, where one does */
async function judgeBeside(check: Check, row: Beside, headers: readonly Told[]): Promise<void> {
  const { make, owner } = row;
  const { request, judge } = make();
  try {
    await judge(await check.raw(told(request, headers)));
  } catch (error) {
    if (headers.length === 1) throw error;
    const control = make();
    const plain = await check.raw(control.request);
    try {
      await control.judge(plain);
    } catch {
      throw new Blocked(owner, `without the headers: ${seenStatus(plain)}`, plain.exchange);
    }
    for (const one of headers) await judgeBeside(check, { ...row, name: one.name }, [one]);
    throw error;
  }
}

/** Requests of one's own: for the list, the other's row, and writes. */
async function besideRows(check: Check, access: string, other: OtherTenant): Promise<Beside[]> {
  const { keyword } = other;
  if (keyword === undefined) return [];
  const { api } = check;
  const theirs = api.path('getKeyword', keyword.id);
  const plain = await api.getResource(theirs, { access });
  if (plain.status < 400 || plain.status > 499)
    throw new Blocked('FOR-04', `another account's row is returned with ${seenStatus(plain)} as it is`, plain.exchange);
  const notTheirs = (reply: Reply): void => {
    expect(reply, "the list, with one's own token").toBeNoServerError();
    expect(reply, "the list, with one's own token").toSatisfy(
      !reply.text.includes(keyword.text),
      "no row of the other user's",
      "the other user's row is in it",
    );
  };
  const refused = (reply: Reply): void => {
    expect(reply, "what is the other user's, with one's own token").toBeRefused();
  };
  const list = api.path('listKeywords');
  const site = keyword.site === undefined ? undefined : idAsGiven(keyword.site);
  return [
    {
      name: 'the list',
      owner: 'FOR-06' as const,
      make: () => ({ request: jsonRequest('GET', list, undefined, { access }), judge: notTheirs }),
    },
    {
      name: "the other user's row",
      owner: 'FOR-04' as const,
      make: () => ({ request: jsonRequest('GET', theirs, undefined, { access }), judge: refused }),
    },
    ...(check.target.write
      ? [
          {
            name: "a change of the other user's row",
            owner: 'FOR-11' as const,
            // Nothing is changed by it where it is taken after all.
            make: () => ({ request: jsonRequest('PATCH', theirs, {}, { access }), judge: refused }),
          },
          {
            name: 'a new row',
            owner: 'FOR-10' as const,
            make: () => {
              const { text, body } = aKeyword(check);
              const judge = async (reply: Reply): Promise<void> => {
                expect(reply, 'the write').toBeNoServerError();
                const { rows, reply: after } = await listed(check, other.access);
                expect(after, "the other user's list").toSatisfy(
                  !rows.some((row) => JSON.stringify(row).includes(text)),
                  'as before',
                  'the new row is in it',
                );
              };
              return { request: jsonRequest('POST', list, body, { access }), judge };
            },
          },
          // Whoever is taken for the other user may write there, and nowhere else.
          ...(site === undefined
            ? []
            : [
                {
                  name: "a new row at the other user's site",
                  owner: 'FOR-10' as const,
                  make: () => {
                    const body = { ...aKeyword(check).body, site_id: site };
                    return { request: jsonRequest('POST', list, body, { access }), judge: refused };
                  },
                },
              ]),
        ]
      : []),
  ];
}

export async function judgeIdentityHeaders(check: Check): Promise<void> {
  const access = await liveToken(check);
  const other = await otherTenant(check);
  if (other !== undefined) await dependsOnOwnRows(check, access, other);
  const headers = await identityHeaders(check, other);
  const who = await somebody(check);
  try {
    const closed = await closedRows(check, headers, who);
    const beside = other === undefined ? [] : await besideRows(check, access, other);
    await check.eachRow(
      [
        ...closed.map((row) => ({ name: row.name, judge: () => expectShut(check, row, 'without a good token') })),
        ...beside.map((row) => ({
          name: `${row.name}, with headers that name another user`,
          judge: () => judgeBeside(check, row, headers),
        })),
      ],
      ({ judge }) => judge(),
    );
    await check.expectAuthorized(access);
  } finally {
    if (who.row !== undefined) await remove(check, who, who.row);
  }
}
