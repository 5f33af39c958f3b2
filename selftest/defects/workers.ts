/** Several workers behind one address, each with something of its own. */
import type { Operation } from './helpers.js';
import type { Context, Parts, Store } from '../../fixtures/reference/behaviour.js';
import { AsyncLocalStorage } from 'node:async_hooks';

export const OPERATIONS: readonly Operation[] = [
  'register',
  'login',
  'refresh',
  'listKeywords',
  'createKeyword',
  'getKeyword',
  'replaceKeyword',
  'updateKeyword',
  'deleteKeyword',
];

export type WorkerOf = (context: Context) => number;

/**
 * Connections dealt to `count` workers in turn.
 * @param own the parts of the workers; `now` is the one that serves the request at hand
 */
export const dealt =
  (count: number, own: (parts: Parts, of: WorkerOf, now: () => number, store: Store) => Partial<Parts>) =>
  (parts: Parts, store: Store): Partial<Parts> => {
    const workers = new WeakMap<object, number>();
    let connections = 0;
    const of: WorkerOf = ({ connection }) => {
      const known = workers.get(connection) ?? connections++ % count;
      workers.set(connection, known);
      return known;
    };
    const serving = new AsyncLocalStorage<number>();
    const changed = own(parts, of, () => serving.getStore() ?? 0, store);
    const operations = OPERATIONS.map((operation) => [
      operation,
      (context: Context) => serving.run(of(context), () => (changed[operation] ?? parts[operation])(context)),
    ]);
    return { ...changed, ...(Object.fromEntries(operations) as Partial<Parts>) };
  };
