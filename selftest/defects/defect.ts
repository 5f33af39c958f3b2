import type { Parts, Store } from '../../fixtures/reference/behaviour.js';
import type { ReferenceOptions } from '../../fixtures/reference/server.js';
import type { Target } from '../../fixtures/run/target.js';
import type { ClauseId } from '../../spec/generated/clauses.js';

/** One deliberate fault of the embedded target, and the clauses that must fail under it: none more, none less. */
export interface Defect {
  readonly id: string;
  /** How this happens in real systems, in one line. */
  readonly story: string;
  readonly clauses: readonly ClauseId[];
  /** Clauses that may fail under it as well, by what happens at the same moment or by which of several workers answers. */
  readonly may?: readonly ClauseId[];
  /** The part of the embedded target that is replaced. */
  readonly replace?: (parts: Parts, store: Store) => Partial<Parts>;
  readonly options?: Omit<ReferenceOptions, 'replace'>;
  /** It shows in a browser only: DOC-01 is run for these, and once against the conforming target. */
  readonly browser?: true;
  /** A server of its own, for what is wrong as a whole. */
  readonly server?: () => Promise<{ readonly target: Target; close(): Promise<void> }>;
  /** For a server of its own: the clauses that may pass on it. No negative check is among them. */
  readonly passes?: readonly ClauseId[];
}
