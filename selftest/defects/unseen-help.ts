/** What several of the defects need. */
import { Refusal, type Claims, type Context, type Parts, type User } from '../../fixtures/reference/behaviour.js';

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

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
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
