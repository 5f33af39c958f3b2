/** What defects, variants and drifts are made of: changes of one part of the embedded target, each a function of the parts beneath it. */
import { createHmac } from 'node:crypto';
import { decode } from '../../fixtures/evidence/jwt.js';
import {
  type Chain,
  type Claims,
  type Context,
  type Occasion,
  type Outcome,
  type Parts,
  Refusal,
  type Store,
  type TokenKind,
  type User,
} from '../../fixtures/reference/behaviour.js';
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import type { RouteOperation } from '../../fixtures/reference/routes.js';

export type Json = Record<string, unknown>;
export type Operation = RouteOperation;

const OPERATIONS: readonly Operation[] = [
  'register',
  'login',
  'refresh',
  'listKeywords',
  'createKeyword',
  'getKeyword',
];

/** The members of a JSON object; none of anything else. */
export const json = (text: string): Json => {
  try {
    return { ...(JSON.parse(text) as Json | null) };
  } catch {
    return {};
  }
};

/** Any JSON value; undefined if it is none. */
export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const bodyOf = ({ rawBody }: Context): Json => json(rawBody.toString());

/** The bearer token of a request; empty if there is none. */
export const tokenOf = ({ headers }: Context): string =>
  /^Bearer (\S+)$/.exec(headers['authorization'] ?? '')?.[1] ?? '';

/** Header (0) or payload (1) of a token that nobody verified. */
export const partOf = (token: string, index: 0 | 1): Json =>
  json(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString());

export const signatureOf = (token: string): Buffer => Buffer.from(token.split('.')[2] ?? '', 'base64url');

/** A key that a defect knows, for it signs or verifies by hand. */
export const KNOWN_KEY = '6a0e-conformance-b7d2-long-enough-to-be-strong-44f1';
export const KNOWN = { jwtSecret: KNOWN_KEY };

export const mac = (token: string, key: string | Buffer, hash: string): Buffer =>
  createHmac(hash, key).update(token.split('.').slice(0, 2).join('.')).digest();

/** Signatures of some tokens that are taken beside the right ones. */
export const alsoTakes =
  (good: (token: string, key: string, kind: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) =>
      good(token, KNOWN_KEY, kind) ? partOf(token, 1) : parts.verifySignature(token, kind),
  });

export const crash = new Refusal(500, 'Internal server error');

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An operation that has its own way with some requests. */
export const on =
  (
    operation: Operation,
    own: (context: Context, parts: Parts, store: Store) => Promise<Outcome | undefined> | Outcome | undefined,
  ) =>
  (parts: Parts, store: Store): Partial<Parts> => ({
    [operation]: async (context: Context) => (await own(context, parts, store)) ?? parts[operation](context),
  });

export type Session = Json & { user: Json; access: string; refresh: string };

/** What an operation answers with, changed. */
export const data =
  (operation: 'register' | 'login', change: (data: Session, context: Context) => Json) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context): Promise<Outcome> => {
      const outcome = await parts[operation](context);
      return 'data' in outcome ? { ...outcome, data: change(outcome.data as Session, context) } : outcome;
    },
  });

/** What refresh answers with, changed. */
export const refreshed =
  (
    change: (pair: { access: string; refresh: string }, context: Context, parts: Parts) => object | Promise<object>,
    status = 200,
  ) =>
  (parts: Parts): Partial<Parts> => ({
    refresh: async (context) => {
      const outcome = (await parts.refresh(context)) as { data: { access: string; refresh: string } };
      return { status, data: await change(outcome.data, context, parts) };
    },
  });

/** The refusals of operations, turned into others. */
export const refusals =
  (change: (refusal: Refusal, context: Context) => Refusal, operations: readonly Operation[] = OPERATIONS) =>
  (parts: Parts): Partial<Parts> =>
    Object.fromEntries(
      operations.map((operation) => [
        operation,
        async (context: Context): Promise<Outcome> => {
          try {
            return await parts[operation](context);
          } catch (error) {
            throw error instanceof Refusal ? change(error, context) : error;
          }
        },
      ]),
    );

/** The refusals of one operation, turned into others. */
export const refusal = (operation: Operation, change: (refusal: Refusal, context: Context) => Refusal) =>
  refusals(change, [operation]);

export const claims =
  (change: (given: Claims, kind: TokenKind, occasion: Occasion, parts: Parts) => Claims) =>
  (parts: Parts): Partial<Parts> => ({
    claims: (kind, user, chain, occasion) => change(parts.claims(kind, user, chain, occasion), kind, occasion, parts),
  });

/** Headers of every answer, changed in place. */
export const headersWith =
  (change: (headers: Record<string, string>, context: Context, status: number) => void) =>
  (parts: Parts): Partial<Parts> => ({
    present: (answer, context) => {
      const headers = { ...answer.headers };
      change(headers, context, answer.status);
      return { ...parts.present(answer, context), headers };
    },
  });

/** Answers with some headers more. */
export const headersFor = (more: (context: Context, status: number) => Record<string, string>) =>
  headersWith((headers, context, status) => {
    Object.assign(headers, more(context, status));
  });

/** The error envelope, changed for some refusals. */
export const errorBodies =
  (when: (refusal: Refusal, context: Context) => boolean, change: (body: Json, context: Context) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    errorEnvelope: (refusal, id, context) => {
      const body = parts.errorEnvelope(refusal, id, context) as Json;
      return (when(refusal, context) ? change(body, context) : body) as object;
    },
  });

/** The success envelope, changed for one operation. */
export const successBodies =
  (operation: string, change: (body: Json) => unknown) =>
  (parts: Parts): Partial<Parts> => ({
    successEnvelope: (outcome, id, context) => {
      const body = parts.successEnvelope(outcome, id, context) as Json;
      return (context.operation === operation ? change(body) : body) as object;
    },
  });

/** What `cty` calls a token inside this one is verified in its place. */
export const unwraps =
  (of: TokenKind) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => {
      const nested = kind === of && partOf(token, 0)['cty'] === 'JWT';
      return parts.verifySignature(
        nested ? Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() : token,
        kind,
      );
    },
  });

/** The whole `Authorization` header; empty if there is none. */
export const authorizationOf = (context: Context): string => context.headers['authorization'] ?? '';

/** What succeeds, with another status. */
export const answeredWith =
  (operation: 'register' | 'login', code: number) =>
  (parts: Parts): Partial<Parts> => ({
    [operation]: async (context: Context) => ({ ...(await parts[operation](context)), status: code }),
  });

export const omit = (body: Json, name: string): Json =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));

export const ofStatus = (wanted: number) => (refusal: Refusal) => refusal.status === wanted;

/** Another judgement of a token's times, by its claims and the server's clock in seconds. */
export const times =
  (kinds: readonly TokenKind[], good: (claims: Claims, now: number) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifyTimes: (given, kind) => {
      if (!kinds.includes(kind)) parts.verifyTimes(given, kind);
      else if (!good(given, parts.clock() / 1000)) throw unauthenticated('Invalid or expired token');
    },
  });

/** NaN of anything but a number. */
export const asNumber = (value: unknown): number => (typeof value === 'number' ? value : NaN);

export type Further = 'replaceKeyword' | 'updateKeyword' | 'deleteKeyword';

const FURTHER: readonly string[] = ['replaceKeyword', 'updateKeyword', 'deleteKeyword'] satisfies Further[];

/** Whether a request is for one of the writes to a row, which the target serves beyond the contract's own operations. */
export function isFurther({ operation }: Context): boolean {
  return operation !== undefined && FURTHER.includes(operation);
}

/** A part of a token, not verified; undefined if it is no JSON object. */
export function peek(token: string, part: 0 | 1): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/** The body, whether or not it is one that the API takes. */
export function looseBody({ rawBody }: Context): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(rawBody.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function withBody(context: Context, body: Record<string, unknown>): Context {
  return { ...context, rawBody: Buffer.from(JSON.stringify(body)) };
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `user:password` of HTTP Basic; undefined for another scheme, '' for what is no base64 or has no colon. */
export function basicPair({ headers }: Context): string | undefined {
  const [scheme = '', value = ''] = (headers['authorization'] ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString();
  return pair.includes(':') ? pair : '';
}

/** Numbers the connections in the order of their first request, from 0. */
export function connectionNumbers(): (context: Context) => number {
  const seen = new WeakMap<object, number>();
  let next = 0;
  return ({ connection }) => {
    let number = seen.get(connection);
    if (number === undefined) {
      number = next++;
      seen.set(connection, number);
    }
    return number;
  };
}

/** `authenticate` without a look at the times. */
export function authenticatedAtAnyTime(parts: Parts, context: Context): User {
  const claims = parts.verifySignature(parts.bearer(context), 'access');
  parts.verifyKind(claims, 'access');
  const user = parts.userById(claims['user_id']);
  if (user === undefined)
    throw new Refusal(401, 'Authentication required', undefined, { 'WWW-Authenticate': 'Bearer' });
  context.claims = claims;
  context.user = user;
  return user;
}

export const dataOf = (outcome: Outcome): Json => ('data' in outcome ? (outcome.data as Json) : {});

/** Who a request's token belongs to; undefined if it has no good one. */
export async function bearerOf(parts: Parts, context: Context): Promise<User | undefined> {
  try {
    return await parts.authenticate({ ...context });
  } catch {
    return undefined;
  }
}

/** Claims of a token that nobody verified. */
export const unverified = (token: string): Claims => {
  const decoded = decode(token);
  if (decoded === undefined) throw unauthenticated('Invalid or expired token');
  return decoded.claims;
};

export const refreshOf = (context: Context): unknown => bodyOf(context)['refresh'];

export const algOf = (token: string): string => String(partOf(token, 0)['alg'] ?? '');

export const refreshTextOf = (context: Context): string => textOf(bodyOf(context)['refresh']);

/** Seconds. */
export const HOUR = 3600;

/** The chain of the refresh token that an operation gave. */
export function chainOf(parts: Parts, chains: ReadonlyMap<string, Chain>, outcome: Outcome): Chain | undefined {
  const { chain } = parts.verifySignature(textOf(dataOf(outcome)['refresh']), 'refresh');
  return chains.get(textOf(chain));
}

export const WHERE: Readonly<Partial<Record<Occasion, string>>> = { register: 'of sign-up', refresh: 'of refresh' };

/** The body read in another way, where `read` has something to say. */
export const readsBody =
  (read: (context: Context, text: string) => Json | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => read(context, context.rawBody.toString()) ?? parts.readBody(context),
  });

export const crashesOnBody = (when: (text: string, context: Context) => boolean) =>
  readsBody((context, text) => {
    if (when(text, context)) throw crash;
    return undefined;
  });

/** Fields of a body made into others, once it is read. */
export const fields =
  (operations: readonly string[], change: (body: Json) => Json | undefined) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => {
      const body = parts.readBody(context);
      return operations.includes(context.operation ?? '') ? { ...body, ...change(body) } : body;
    },
  });

export const takesRegistration =
  (field: string, good: (value: unknown) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    readBody: (context) => {
      const body = parts.readBody(context);
      return context.operation === 'register' && good(body[field])
        ? { ...body, [field]: `taken-${String(Math.random()).slice(2)}` }
        : body;
    },
  });

/** Of refreshes that present one token and meet, the first is served and the others get `loser`. */
export const losersOfARace =
  (loser: Refusal) =>
  (parts: Parts): Partial<Parts> => {
    const running = new Set<string>();
    return {
      refresh: async (context) => {
        const jti = textOf(partOf(refreshTextOf(context), 1)['jti']);
        if (jti === '') return parts.refresh(context);
        if (running.has(jti)) {
          await pause(20);
          throw loser;
        }
        running.add(jti);
        try {
          await pause(20);
          return await parts.refresh(context);
        } finally {
          running.delete(jti);
        }
      },
    };
  };
