/** Which rate limit a request counts for, by its path. */
import { OPERATIONS, type OperationId, type RateScope } from './generated/operations.js';

const segment = (path: string): string => path.split('/')[0] ?? '';
const pattern = (path: string): RegExp =>
  new RegExp(`^${path.replace(/^\/|\/$/g, '').replace(/\{[^}]+\}/g, '[^/]+')}/?$`);

const DOCUMENTED = OPERATIONS.map(({ operationId, path, rateScope }) => ({
  operationId,
  rateScope,
  pattern: pattern(path),
}));

/** First segment of a path → the scope of everything documented below it, where that is one. */
const BY_SEGMENT = new Map(
  OPERATIONS.map(({ path }) => segment(path.slice(1))).map((first) => {
    const scopes = new Set(
      OPERATIONS.filter(({ path }) => segment(path.slice(1)) === first).map(({ rateScope }) => rateScope),
    );
    const [only] = scopes;
    return [first, scopes.size === 1 ? only : undefined];
  }),
);

/**
 * @param path below the base URL, with or without its last slash and its query
 * @param elsewhere paths of operations that the target has elsewhere than documented
 * @returns `other` for what is not documented and not below a segment that has one scope for all
 */
export function rateScopeOf(
  path: string,
  elsewhere: Readonly<Partial<Record<OperationId, string>>> = {},
): RateScope | 'other' {
  const plain = path.split('?')[0] ?? '';
  const found = DOCUMENTED.find(({ operationId, pattern: documented }) => {
    const there = elsewhere[operationId];
    return documented.test(plain) || (there !== undefined && pattern(there).test(plain));
  });
  return found?.rateScope ?? BY_SEGMENT.get(segment(plain)) ?? 'other';
}
