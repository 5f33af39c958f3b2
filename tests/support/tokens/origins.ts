/** Tokens of every origin: a clause about "the access token" is about those that register, each login and each refresh give. */
import type { ClauseId } from '../../../spec/generated/clauses.js';
import type { Account, Session } from '../../../fixtures/check/accounts.js';
import { portable, replyOf } from '../../../fixtures/check/portable.js';
import { Blocked, Unverified, type Check } from '../../../fixtures/check/check.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import type { JsonObject } from '../../../fixtures/evidence/json.js';
import { decode, type DecodedToken } from '../../../fixtures/evidence/jwt.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import type { TokenKind } from '../../../fixtures/evidence/reading.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';
import { exactUser } from '../responses/exact.js';

export type Occasion = 'register' | 'login' | 'refresh';

interface Issued {
  /** Of a refresh: the login that its chain began with. */
  readonly login?: Reply;
  /** E.g. `the second refresh`. */
  readonly name: string;
  readonly occasion: Occasion;
  readonly account: Account;
  /** As register or login returned it, with exact ids. */
  readonly user: JsonObject;
  readonly reply: Reply;
}

/** An origin that this run could not have tokens of. */
interface Missing {
  readonly name: string;
  readonly occasion: Occasion;
  readonly by: ClauseId;
  readonly why: string;
}

type Origin = Issued | Missing;

/** One token, with what it came in. */
export interface IssuedToken extends Issued {
  readonly kind: TokenKind;
  readonly token: string;
}

/** Tokens as they were issued: none of them is presented again, and what they live is judged by the response that they came in. */
export interface OriginRow {
  readonly name: string;
  readonly occasion: Occasion;
  readonly kind: TokenKind;
  /** @throws Blocked where this origin gave no such token */
  readonly issued: () => IssuedToken;
}

/** Nothing comes of it here: whoever wants a live token of a chain that is some seconds old may take its own. */
export const LAST_REFRESH = 'the third refresh';

/** Refreshes in a row, each by the last one's token: a later one may be made in another way than the first. */
const REFRESHES = ['the first refresh', 'the second refresh', LAST_REFRESH];

/** Made once per run, as plain JSON. */
interface Kept {
  readonly login: ReturnType<typeof portable>;
  readonly account: Account;
  readonly user: JsonObject;
  readonly replies: readonly ReturnType<typeof portable>[];
}

/** A login of its own, or what another user begins with, and the refreshes after it. */
async function rotations(check: Check, begin: () => Promise<Session>, names: readonly string[]): Promise<Kept> {
  const { account, reply: login, refresh } = await begin();
  const replies: ReturnType<typeof portable>[] = [];
  let live = refresh;
  for (const name of names) {
    const reply = await check.answered('REF-01', name, () => check.api.refresh(live));
    replies.push(portable(reply));
    if (reply.status !== 200) break;
    // Where nothing rotates, the token presented stays.
    live = reply.token('refresh') ?? live;
  }
  return { account: { ...account }, user: { ...exactUser(login) }, login: portable(login), replies };
}

/** What came of an attempt, or what stood in its way. */
async function tried(name: string, occasion: Occasion, get: () => Promise<Origin[]>): Promise<Origin[]> {
  const by = ({ register: 'REG-01', login: 'LOG-01', refresh: 'REF-01' } as const)[occasion];
  try {
    return await get();
  } catch (error) {
    if (error instanceof Blocked) return [{ name, occasion, by: error.by, why: error.message }];
    if (error instanceof NoAnswer || error instanceof Unverified) return [{ name, occasion, by, why: error.message }];
    throw error;
  }
}

async function origins(check: Check): Promise<Origin[]> {
  const { canRegister } = check.accounts;
  const register = async (): Promise<Origin[]> => {
    const { account, reply } = await check.answered('REG-01', 'register', check.firstRegistration);
    return [{ name: 'register', occasion: 'register', account, user: exactUser(reply), reply }];
  };
  const login = async (): Promise<Origin[]> => {
    const session = await check.firstSession();
    return [{ ...session, user: exactUser(session.reply), name: 'login', occasion: 'login' }];
  };
  const after = async (key: string, begin: () => Promise<Session>, names: readonly string[]): Promise<Issued[]> => {
    const { account, user, login: first, replies } = await check.once<Kept>(key, () => rotations(check, begin, names));
    const common = { account, user, login: replyOf(first), occasion: 'refresh' } as const;
    return replies.map((one, i) => ({ ...common, name: names[i] ?? '', reply: replyOf(one) }));
  };
  const refresh = (): Promise<Origin[]> => after('refreshes in a row', () => check.login(), REFRESHES);
  const ofRegister = (): Promise<Origin[]> =>
    after('refresh after register', () => check.registerAndLogin(), ['the refresh after register']);
  const viewer = async (): Promise<Origin[]> => {
    const { viewer: account, dialect } = check.target;
    // Where a user has one session, this would end the one that others use.
    if (account === undefined || dialect.sessions !== 'many') return [];
    const refreshed = await after("the viewer's refresh", () => check.login(account), ["the viewer's refresh"]);
    return refreshed.flatMap((one) => [
      { ...one, name: "the viewer's login", occasion: 'login', reply: one.login ?? one.reply },
      one,
    ]);
  };
  return [
    ...(canRegister ? await tried('register', 'register', register) : []),
    ...(await tried('login', 'login', login)),
    ...(await tried("the viewer's login", 'login', viewer)),
    ...(await tried('refresh', 'refresh', refresh)),
    ...(canRegister ? await tried('the refresh after register', 'refresh', ofRegister) : []),
  ];
}

/** Why an origin gave no token of a kind. */
function missing({ name, occasion, reply }: Issued, kind: TokenKind): Blocked {
  const by = ({ register: 'REG-03', login: 'LOG-01', refresh: 'REF-01' } as const)[occasion];
  return new Blocked(by, `${name} returned no ${kind} token: ${seenStatus(reply)}`, reply.exchange);
}

/**
 * A row for each token of each origin.
 * @param kinds default: both
 */
export async function tokensOfEveryOrigin(
  check: Check,
  kinds: readonly TokenKind[] = ['access', 'refresh'],
): Promise<OriginRow[]> {
  const all = await check.memo('tokens of every origin', () => origins(check));
  return all.flatMap((origin) =>
    kinds.map((kind) => ({
      name: `${kind} token from ${origin.name}`,
      occasion: origin.occasion,
      kind,
      issued: () => {
        if ('why' in origin) throw new Blocked(origin.by, origin.why);
        const token = origin.reply.status < 300 ? origin.reply.token(kind) : undefined;
        if (token === undefined) throw missing(origin, kind);
        return { ...origin, kind, token };
      },
    })),
  );
}

/** Header and claims of a token. Depends on TOK-01. */
export function readIssued({ token, reply }: IssuedToken): DecodedToken {
  const decoded = decode(token);
  if (decoded === undefined) throw new Blocked('TOK-01', 'the token is not a compact JWS', reply.exchange);
  return decoded;
}

/** The response to the first refresh of a login; undefined where there was none. */
export async function aRefresh(check: Check): Promise<Reply | undefined> {
  const row = (await tokensOfEveryOrigin(check, ['access'])).find(({ occasion }) => occasion === 'refresh');
  try {
    return row?.issued().reply;
  } catch (error) {
    if (error instanceof Blocked) return undefined;
    throw error;
  }
}
