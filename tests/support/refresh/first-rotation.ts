/** The one rotation that the clauses about a successful refresh look at, REF-01 to REF-04. */
import { type Session, type Check, Blocked, Unverified } from '../../../fixtures/check/check.js';
import { Reply } from '../../../fixtures/evidence/reply.js';
import type { TokenPair } from '../../../fixtures/run/run.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import type { JsonObject } from '../../../fixtures/evidence/json.js';
import { decode } from '../../../fixtures/evidence/jwt.js';
import type { ProtectedRoute } from '../access/token-routes.js';
import type { Judged } from '../accounts/accounts.js';
import { tokensOfEveryOrigin } from '../tokens/origins.js';

interface Rotation {
  readonly before: Session;
  readonly reply: Reply;
}

/** The one rotation that the clauses about a successful response look at, of a login that nobody else has to do with. */
export function rotation(check: Check): Promise<Rotation> {
  return check.memo('rotation', async () => {
    const before = await check.login();
    return { before, reply: await check.api.refresh(before.refresh) };
  });
}

/** The same, where a clause is about something that follows the success. Depends on REF-01. */
export async function rotated(check: Check): Promise<Rotation & TokenPair> {
  const { before, reply } = await check.answered('REF-01', 'refresh', () => rotation(check));
  const access = reply.token('access');
  // Where nothing rotates, the token presented stays: what the others ask of the access token has its meaning all the same.
  const refresh = reply.token('refresh') ?? (check.target.dialect.rotates ? undefined : before.refresh);
  if (reply.status !== 200 || access === undefined || refresh === undefined) {
    throw new Blocked('REF-01', `refresh returned no usable tokens: ${seenStatus(reply)}`, reply.exchange);
  }
  return { before, reply, access, refresh };
}

/** The new access token is for the user of the login. That its claim is an id, TOK-04 says: an e-mail names the user, too. */
export function expectSameUser(
  check: Check,
  reply: Reply,
  { access: old, user }: { readonly access: string; readonly user: JsonObject },
  access: string,
): void {
  const [was, is] = [old, access].map((token) => decode(token)?.claims[check.target.dialect.subject]);
  const names = [user['id'], user['email'], user['username']].filter((name) => name !== undefined);
  const same = was === is || [was, ...names].some((name) => name !== undefined && String(name) === String(is));
  if (!same && (was === undefined || is === undefined)) {
    const [silent, other] = is === undefined ? ['new access token', 'first'] : ['first access token', 'new one'];
    throw new Blocked('TOK-04', `the ${silent} says nowhere whose it is, where the ${other} does`, reply.exchange);
  }
  expect(reply, 'the user of the new access token').toSatisfy(same, 'the one who logged in', 'another one');
}

/** The new access token opens this route, as the one from login does. */
export async function opensToo({ ask }: ProtectedRoute, before: string, access: string): Promise<Reply> {
  const opened = await ask(access);
  if (opened.status >= 300) {
    const control = await ask(before);
    if (control.status >= 300)
      throw new Unverified(`The access token of the login does not open it either (${seenStatus(control)}).`);
  }
  expect(opened, 'the new access token').toHaveStatus(200, 201);
  return opened;
}

/** REF-02 of tokens that others were given: whose they are, by their subject. */
export async function laterRefreshes(check: Check): Promise<Judged[]> {
  const all = await tokensOfEveryOrigin(check, ['access']);
  return all
    .filter(({ occasion }) => occasion === 'refresh')
    .map(({ name, issued }) => ({
      name,
      judge: () => {
        const { reply, token, login, user } = issued();
        expectSameUser(check, reply, { access: login?.token('access') ?? '', user }, token);
        return Promise.resolve();
      },
    }));
}

/** Two users who refresh at the same moment: each is handed tokens of their own. */
export function besideOthers(check: Check): Judged {
  return {
    name: 'refreshes of two users at the same moment',
    judge: async () => {
      const { chain: others, account } = await check.expendable();
      const chains = [await check.chain(), others];
      const users = [(await check.session()).user, { ...account }];
      const before = chains.map(({ access }) => access);
      const requests = chains.map(({ refresh }) => check.api.refreshRequest(refresh));
      const replies = await check.sender.sendAtOnce(requests);
      try {
        for (const [i, reply] of replies.entries()) {
          if (!(reply instanceof Reply)) throw reply;
          expect(reply, 'one of them').toBeNoServerError();
          const next = reply.status === 200 ? reply.token('access') : undefined;
          if (next === undefined) throw new Unverified(`One of them gets ${seenStatus(reply)}.`);
          expectSameUser(check, reply, { access: before[i] ?? '', user: users[i] ?? {} }, next);
          chains[i]?.advance(reply);
        }
      } catch (error) {
        // The other one may be spent by now, or hold a token of somebody else's.
        for (const chain of chains) chain.invalidate();
        throw error;
      }
    },
  };
}

/** A refresh is for the user of its own token, whoever else's access token comes with it. */
export function besideForeign(check: Check, before: Session, refresh: string, foreign: string): Judged {
  return {
    name: 'a refresh beside the live access token of somebody else',
    judge: async () => {
      const reply = await check.api.refresh(refresh, { access: foreign });
      const next = reply.status === 200 ? reply.token('access') : undefined;
      if (next === undefined) throw new Unverified(`It gets ${seenStatus(reply)}: see REF-07.`);
      expectSameUser(check, reply, before, next);
    },
  };
}
