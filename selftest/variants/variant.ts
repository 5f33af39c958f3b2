import type { ReferenceOptions } from '../../fixtures/reference/server.js';
import type { Parts, Store } from '../../fixtures/reference/behaviour.js';
import type { Target } from '../../fixtures/run/target.js';
import type { ClauseId } from '../../spec/generated/clauses.js';

/**
 * A server that conforms, in another way than the embedded target does, or a run that was given less. Whatever fails or is blocked here
 * is a false alarm: the counterpart of the defects.
 */
export interface Variant {
  readonly id: string;
  /** The words of the contract that allow it. */
  readonly words: string;
  readonly replace?: (parts: Parts, store: Store) => Partial<Parts>;
  readonly options?: Omit<ReferenceOptions, 'replace'>;
  /** What a run against it is given. */
  readonly target?: (target: Target) => Target;
  /** Clauses that fail all the same: a MAY, a SHOULD that it has its own reasons for, or one about what the run was given. */
  readonly fails?: readonly ClauseId[];
  /** Clauses that cannot be verified on it, because of what it is; `any`: it is a run that was given less. */
  readonly unverified?: readonly ClauseId[] | 'any';
  /** A run against it takes many times as long as another, so it is left to the whole matrix. */
  readonly long?: true;
  /** It shows in a browser only. */
  readonly browser?: true;
}
