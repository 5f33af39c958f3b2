/** Who is let in by something else than the bearer token. */
import { type Operation, type Json, on, textOf, bodyOf } from './helpers.js';
import type { Context, Parts, Store, User, Outcome } from '../../fixtures/reference/behaviour.js';
import { randomUUID } from 'node:crypto';

/** An operation that lets in whom `user` names. */
export const opens = (operation: Operation, claimsOf: (context: Context, parts: Parts) => Json | undefined) =>
  on(operation, (context, parts, store) => {
    const claims = claimsOf(context, parts);
    const user = claims === undefined ? undefined : parts.userById(claims['user_id']);
    const row = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
    // One's own resource: who may see it is not what goes wrong here.
    if (user === undefined || row?.accountId !== user.account.id) return undefined;
    // The route's own work, by the user that was let in.
    return { status: 200, data: { id: 1, keyword: 'let in', site_id: 1, seen_by: user.id } };
  });

/** The bearer token read in another way, at some requests. */
export const readsBearer =
  (token: (context: Context) => string | null | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => token(context) ?? parts.bearer(context),
  });

export const bare = ({ headers }: Context): boolean => headers['authorization'] === undefined;

export const cookieOf = ({ headers }: Context, name: string): string =>
  new RegExp(`(?:^|;\\s*)${name}=([^;]+)`).exec(headers['cookie'] ?? '')?.[1] ?? '';

/** Somebody let in beside the bearer token, at some requests. */
export const letsIn =
  (find: (context: Context, parts: Parts, store: Store) => User | undefined) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    authenticate: (context) => {
      const user = find(context, parts, store);
      return user === undefined ? parts.authenticate(context) : Promise.resolve(user);
    },
  });

/** A token in another place, at some requests. */
export const tokenAt =
  (find: (context: Context) => string | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    bearer: (context) => {
      const token = find(context);
      return token === undefined || token === '' ? parts.bearer(context) : token;
    },
  });

/** Sessions by a cookie that login and register set; `use` says what they are good for. */
export const sessions =
  (use: (parts: Parts, userOf: (context: Context) => User | undefined, store: Store) => Partial<Parts>) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const users = new Map<string, User>();
    const withCookie =
      (operation: 'login' | 'register') =>
      async (context: Context): Promise<Outcome> => {
        const outcome = await parts[operation](context);
        const user = parts.findUser(textOf(bodyOf(context)['email']));
        const id = randomUUID();
        if (user !== undefined) users.set(id, user);
        return { ...outcome, headers: { ...outcome.headers, 'Set-Cookie': `sessionid=${id}; Path=/; HttpOnly` } };
      };
    return {
      login: withCookie('login'),
      register: withCookie('register'),
      ...use(parts, (context) => users.get(cookieOf(context, 'sessionid')), store),
    };
  };
