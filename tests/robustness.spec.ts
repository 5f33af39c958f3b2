/**
 * Bad input: refused with a 4xx, never a 5xx, a hang or a dropped connection, and the server answers the next request. Whether the refusal
 * is in the envelope, ENV judges for every response.
 */
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Finding, type Chain, type Check } from '../fixtures/check/check.js';
import { named } from '../fixtures/check/judging.js';
import {
  badRequest,
  booleanSites,
  CONTENT_TYPES,
  DEEP,
  endpointsOf,
  MALFORMED,
  ODD_CHARACTERS,
  overOneConnection,
  VERY_LONG,
  LONG_NAMES,
  WRONG_TYPES,
  COSTLY_TYPES,
  type BadInput,
} from './support/bodies/bad-input.js';
import { oddJson } from '../fixtures/check/api.js';
import { judgeBroken, judgeValid } from './support/bodies/fuzz.js';
import { seenStatus } from '../fixtures/check/expect.js';
import { sameAddress } from './support/accounts/users.js';
import { aKeyword, dependsOnOwnRows, listed, otherTenant, siteOf } from './support/access/resources.js';
import { costly, type Judged } from './support/accounts/accounts.js';
import { OPERATIONS } from '../spec/generated/operations.js';
import { oddPassword, oddHeader, surrogateInPassword } from './support/bodies/odd-characters.js';
import { refreshTwice, loginTwice, refreshInPrototype, oddKeywords } from './support/bodies/odd-json.js';
import { oddClaims, deepTokenRows } from './support/tokens/odd-tokens.js';
import { rightButOfAnotherType } from './support/accounts/credentials-of-another-type.js';
import { dependsOnAlikeToken } from './support/journeys/alike-workers.js';
import { judgeViewersSite, oddAddresses } from './support/bodies/odd-addresses.js';

/** After a table of bad input, one good request. */
async function stillHealthy(check: Check): Promise<void> {
  // Where a new login ends the older ones, one of the table may have ended this check's own.
  const { access } = await (check.target.dialect.sessions !== 'many' ? check.login() : check.session());
  const reply = await check.askProtected(access);
  await dependsOnAlikeToken(check, access, reply);
  if (reply.status !== 200) {
    throw new Finding(`after the bad input a valid request gets ${seenStatus(reply)}, expected 200`, reply.exchange);
  }
}

/** What is sent in front of a good request over the same connection: one of each kind that a parser gives up on. */
const OVER_ONE_CONNECTION = MALFORMED.slice(0, 4);

/**
 * Every row of a table at every endpoint that it goes to.
 * @param mine a chain whose live token is what is wrong at refresh in nothing but the row's own point
 */
function rowsOf(check: Check, table: readonly BadInput[], statuses?: readonly number[], mine?: Chain): Judged[] {
  return table.flatMap((input) =>
    endpointsOf(check, input).map((endpoint) => ({
      name: `${endpoint} with ${input.name}`,
      judge: async () => {
        const bad = await badRequest(check, input, endpoint, mine?.refresh);
        // Where it costs little, and a body may be left unread; what reads it is the same in front of all endpoints.
        const reply =
          endpoint === 'refresh' && (table === VERY_LONG || OVER_ONE_CONNECTION.includes(input))
            ? await overOneConnection(check, bad, (await check.session()).access)
            : await check.raw(bad);
        if (endpoint === 'refresh' && reply.status < 300) mine?.invalidate();
        if (endpoint === 'createKeyword') await dependsOnAlikeToken(check, (await check.session()).access, reply);
        if (table === LONG_NAMES) expect(reply).toBeNoServerError();
        else if (statuses === undefined) expect(reply).toBeRefused();
        else expect(reply).toHaveStatus(...statuses);
      },
    })),
  );
}

async function judge(
  check: Check,
  rows: readonly Judged[],
  options?: { readonly inOrder: (row: Judged) => boolean },
): Promise<void> {
  await check.expectAuthorized((await check.session()).access);
  await check.eachRow(rows, (row) => row.judge(), options);
  await stillHealthy(check);
}

clause('ROB-01', (check) => judge(check, rowsOf(check, MALFORMED)));

clause('ROB-02', async (check) => {
  const rows = [...rowsOf(check, WRONG_TYPES), ...rowsOf(check, await costly(check, COSTLY_TYPES))];
  const sites = check.target.write ? booleanSites(check) : [];
  await judge(check, [...rows, ...sites, ...rightButOfAnotherType(check)]);
});

clause('ROB-03', async (check) => {
  const mine = await check.chain();
  await judge(check, rowsOf(check, CONTENT_TYPES, [400, 415], mine));
  // Whether a refused request spends the token, REF-15 asks.
  mine.invalidate();
});

clause('ROB-04', (check) => judge(check, [...rowsOf(check, VERY_LONG), ...rowsOf(check, LONG_NAMES)]));

clause('ROB-05', (check) =>
  judge(check, [
    ...rowsOf(check, ODD_CHARACTERS),
    ...['authorization', 'accept-language'].map((name) => ({
      name: `bytes that are not UTF-8 in \`${name}\``,
      judge: () => oddHeader(check, name),
    })),
    ...(check.accounts.canRegister
      ? [
          { name: 'control characters in a password', judge: () => oddPassword(check) },
          { name: "half a surrogate pair in a known user's password", judge: () => surrogateInPassword(check) },
        ]
      : []),
  ]),
);

clause('ROB-06', async (check) => {
  // A token that a server cannot place may count as reuse, and end more than its chain.
  const { chain: mine } = await check.expendable();
  // Two rows rotate the same chain.
  const ofChain = [
    { name: 'refresh with `refresh` twice', judge: () => refreshTwice(check, mine) },
    { name: "an odd payload by the target's own key", judge: () => oddClaims(check, mine) },
  ];
  const rows = [
    ...rowsOf(check, DEEP),
    ...deepTokenRows(check),
    ...ofChain,
    ...loginTwice(check),
    {
      name: 'refresh with `__proto__` and `constructor` in place of `refresh`',
      judge: () => refreshInPrototype(check),
    },
    ...(check.target.write ? oddKeywords(check) : []),
  ];
  await judge(check, rows, { inOrder: (row) => ofChain.includes(row) });
  mine.invalidate();
});

clause('ROB-07', async (check) => {
  const { runs, seed } = check.target.fuzz;
  await check.expectAuthorized((await check.session()).access);
  check.measure('seed', String(seed));
  await judgeBroken(check, 'refresh', runs);
  await judgeValid(check, 'refresh', Math.ceil(runs / 4));
  // Login and register are dear: a fortieth each, one by default; FUZZ_RUNS says more, from 80 on for good bodies too.
  for (const endpoint of ['login', 'register'] as const) {
    if (endpoint === 'register' && !check.accounts.canRegister) continue;
    await judgeBroken(check, endpoint, Math.max(1, Math.floor(runs / 40)));
    await judgeValid(check, endpoint, Math.floor(runs / 80));
  }
  if (!check.target.write) return;
  const control = await check.api.createKeyword(aKeyword(check).body, await check.session());
  if (control.status >= 300) {
    check.measure('keywords', `left out: the valid one gets ${seenStatus(control)}, see IGNY8_KEYWORD_BODY`);
    return;
  }
  await judgeBroken(check, 'createKeyword', runs);
  await judgeValid(check, 'createKeyword', Math.ceil(runs / 4));
});

clause('ROB-08', async (check) => {
  const { access } = await check.session();
  const withoutSlash = (path: string): string => path.replace(/\/$/, '');
  const rows = [
    ...OPERATIONS.map(({ method, operationId, endsSession }) => ({
      method,
      endsSession,
      path: withoutSlash(check.api.path(operationId, '1')),
    })),
    // Frameworks that redirect cannot keep a body; at an id that no row has, nothing is changed.
    ...(check.target.write ? ['PUT', 'PATCH'] : []).map((method) => ({
      method,
      endsSession: false,
      path: withoutSlash(check.api.path('getKeyword', '999999999')),
    })),
  ];
  await check.eachRow(
    named(rows, ({ method, path }) => `${method} ${path}`),
    async ({ value: { method, path, endsSession } }) => {
      const token = endsSession ? (await check.expendable()).chain.access : access;
      const reply = await check.raw(
        oddJson(method, path, method === 'GET' ? undefined : {}, [['authorization', `Bearer ${token}`]]),
      );
      expect(reply, 'without its trailing slash').toSatisfy(
        reply.status < 500,
        'anything but a 5xx',
        seenStatus(reply),
      );
    },
  );
});

/** Decomposed on purpose: a server that composes it gives back another text. The second is for servers that take letters only. */
const NAMES = ['Jose\u0301_Ωμέγα_新しい_😀', 'Ωμέγα_新しい'];

clause('ROB-09', async (check) => {
  for (const name of NAMES) {
    const account = check.newAccount();
    const odd = { ...account, username: `${name}_${account.username.slice(-6)}` };
    const made = await check.api.register(odd);
    if (made.status === 400) continue;
    if (made.status >= 400) {
      // A crash over these letters is this clause's; a register that takes no name at all is REG-01's.
      await check.registerAccount();
      throw new Finding(
        `register with the user name ${odd.username} gets ${seenStatus(made)}, expected the account or 400`,
        made.exchange,
      );
    }
    const { user: atLogin, reply } = await check.login(odd);
    if (!sameAddress(atLogin['email'], odd.email))
      throw new Blocked('LOG-03', 'login returns a different user from the one registered');
    const atRegister = made.user['username'];
    if (atRegister === undefined) throw new Blocked('REG-02', 'register does not return the user name');
    if (atLogin['username'] === undefined) throw new Blocked('LOG-02', 'login does not return the user name');
    const mangled = [atRegister !== odd.username && 'register', atLogin['username'] !== odd.username && 'login'].filter(
      (place) => place !== false,
    );
    expect(reply, 'the user name').toSatisfy(mangled.length === 0, 'unchanged', `changed at ${mangled.join(' and ')}`);
    check.measure('accepted', name);
    return;
  }
  check.measure('such user names', 'refused (400)');
});

clause('ROB-11', async (check) => {
  const { access } = await check.session();
  const own = siteOf((await listed(check, access)).rows[0]);
  const other = await otherTenant(check);
  if (other !== undefined) await dependsOnOwnRows(check, access, other);
  const viewers = check.target.viewer !== undefined && check.target.deniedSite !== undefined;
  await check.eachRow(
    [
      ...oddAddresses(check, access, own, other?.keyword),
      ...(viewers ? [{ name: 'a site without access, named twice', judge: () => judgeViewersSite(check) }] : []),
    ],
    ({ judge: judgeRow }) => judgeRow(),
  );
  await check.expectAuthorized(access);
});
