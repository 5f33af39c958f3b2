/** What a run of the drifts measured, as published in docs/kill-matrix.md and held by `npm run kill -- drifts`. */
import type { ClauseId } from '../../spec/generated/clauses.js';

export interface Pin {
  /** Clauses that are blocked by the drift alone. */
  readonly blocked: readonly ClauseId[];
  /** Defects of the sample that are not found under it, though somebody could. */
  readonly missed: readonly string[];
}

export const PINS: Readonly<Record<string, Pin>> = {};
