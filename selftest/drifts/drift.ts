import type { Parts, Store } from '../../fixtures/reference/behaviour.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from '../defects/defect.js';
import type { Variant } from '../variants/variant.js';

/**
 * A server that says differently what the guide says: one row of the dialect's table. The clause that owns the point fails by the
 * letter; all others are asked through it, and what is wrong besides is still found.
 */
export interface Drift extends Pick<Variant, 'id' | 'replace' | 'options' | 'target'> {
  /** What is different, and where it was seen, in one line. */
  readonly story: string;
  /** The clauses that fail for it: none more, none less. Empty: it conforms. */
  readonly fails: readonly ClauseId[];
  /** How many clauses may be blocked by it, at most: those whose question it makes meaningless. */
  readonly mostBlocked: number;
  /** Defects that it leaves no room for, and why: nobody could find them. */
  readonly hides?: Readonly<Record<string, string>>;
}

type Change = NonNullable<Variant['replace']>;

/** One change over another: the upper one finds the lower one's parts in the place of the conforming ones. */
export const over =
  (upper: Change | undefined, lower: Change | undefined): Change =>
  (parts: Parts, store: Store) => {
    const beneath = lower?.(parts, store) ?? {};
    return { ...beneath, ...upper?.({ ...parts, ...beneath }, store) };
  };

/** A drifted server with a defect, or with one more drift beneath. */
export function compose(
  drift: Pick<Drift, 'replace' | 'options' | 'target'>,
  beneath: Pick<Defect, 'replace' | 'options'> & Pick<Drift, 'target'>,
): Pick<Drift, 'replace' | 'options' | 'target'> {
  return {
    replace: over(drift.replace, beneath.replace),
    options: { ...beneath.options, ...drift.options },
    target: (target) => (drift.target ?? ((same) => same))(beneath.target?.(target) ?? target),
  };
}
