/** The rows of the matrix by their names: the conforming target, defects, variants, drifts, and drifts with a defect beneath. */
import { CLAUSES, type ClauseId } from '../../spec/generated/clauses.js';
import { DEFECTS } from '../defects/index.js';
import { compose } from '../drifts/drift.js';
import { DRIFTS, type Drift } from '../drifts/index.js';
import { NOT_FOUND_YET } from '../known-gaps.js';
import { SAMPLE } from '../drifts/sample.js';
import type { Defect } from '../defects/defect.js';
import { VARIANTS, type Variant } from '../variants/index.js';
import type { Change } from './run.js';

/** The embedded target as it is. */
export const CLEAN = 'none';

const DRIFT = 'drift:';
const CROSS = '×';

export interface Row {
  readonly defect?: Defect;
  readonly variant?: Variant;
  readonly drift?: Drift;
}

export const driftRow = (drift: Drift): string => DRIFT + drift.id;
export const crossedRow = (drift: Drift, defect: Defect): string => `${driftRow(drift)}${CROSS}${defect.id}`;

const found = (key: keyof Row, one: Defect | Variant | Drift | undefined): Row =>
  one === undefined ? {} : { [key]: one };

/** What a row is about; nothing of it is set for the conforming target, or for a name that nothing has. */
export function rowOf(name: string): Row {
  if (!name.startsWith(DRIFT))
    return {
      ...found(
        'defect',
        DEFECTS.find(({ id }) => id === name),
      ),
      ...found(
        'variant',
        VARIANTS.find(({ id }) => id === name),
      ),
    };
  const [driftId, defectId] = name.slice(DRIFT.length).split(CROSS);
  return {
    ...found(
      'drift',
      DRIFTS.find(({ id }) => id === driftId),
    ),
    ...found(
      'defect',
      DEFECTS.find(({ id }) => id === defectId),
    ),
  };
}

/** What a row does to the embedded target; undefined: nothing. */
export function changeOf({ defect, variant, drift }: Row): Change | undefined {
  if (drift === undefined) return defect ?? variant;
  return defect === undefined ? drift : compose(drift, defect);
}

/** Whether a run of it opens a browser. */
export function shows(name: string): boolean {
  const { defect, variant, drift } = rowOf(name);
  return name === CLEAN || (drift === undefined && (defect ?? variant)?.browser === true);
}

/** Each drift alone, and with each defect of the sample beneath. */
export function driftRows(drifts: readonly Drift[] = DRIFTS, sample: readonly Defect[] = SAMPLE): string[] {
  return drifts.flatMap((drift) => [driftRow(drift), ...sample.map((defect) => crossedRow(drift, defect))]);
}

/** Of the variants and of the drifts, every so-manieth is in the sample. */
const SAMPLED_VARIANTS = 8;
const SAMPLED_DRIFTS = 2;

/**
 * What `npm test` runs: the conforming target, one defect of each clause, some of the variants, and some drifts alone. The whole is
 * `npm run kill`, which CI runs every night.
 */
export function sampleRows(): string[] {
  const chosen: Defect[] = [];
  for (const { id } of CLAUSES) {
    if (chosen.some(({ clauses }) => clauses.includes(id))) continue;
    const first = DEFECTS.find(
      ({ id: defect, clauses, server, browser }) =>
        clauses.includes(id) && server === undefined && browser !== true && !NOT_FOUND_YET.includes(defect),
    );
    if (first !== undefined) chosen.push(first);
  }
  const variants = VARIANTS.filter(
    ({ browser, long }, i) => browser !== true && long !== true && i % SAMPLED_VARIANTS === 0,
  );
  const drifts = DRIFTS.filter((_, i) => i % SAMPLED_DRIFTS === 0);
  return [CLEAN, ...chosen.map(({ id }) => id), ...variants.map(({ id }) => id), ...drifts.map(driftRow)];
}

/**
 * The rows that somebody asks for.
 * @param names clauses, defects, variants, drifts (`drift:ID`), or `none`, `variants`, `drifts`, `drifts-alone`, `sample`; empty: the
 *   matrix
 * @throws Error for a name that nothing has
 */
export function rowsFor(names: readonly string[]): string[] {
  if (names.length === 0) return [CLEAN, ...[...VARIANTS, ...DEFECTS].map(({ id }) => id)];
  const rows = names.flatMap((name) => {
    if (CLAUSES.some(({ id }) => id === name))
      return DEFECTS.filter(({ clauses }) => clauses.includes(name as ClauseId)).map(({ id }) => id);
    if (name === CLEAN) return [CLEAN];
    if (name === 'variants') return VARIANTS.map(({ id }) => id);
    if (name === 'drifts') return driftRows();
    if (name === 'drifts-alone') return DRIFTS.map(driftRow);
    if (name === 'sample') return sampleRows();
    if (name.endsWith(CROSS + CLEAN)) return rowsFor([name.slice(0, -(CROSS + CLEAN).length)]).slice(0, 1);
    const { drift, ...others } = rowOf(name);
    if (drift !== undefined && others.defect === undefined && !name.includes(CROSS)) return driftRows([drift]);
    if (Object.keys(others).length > 0) return [name];
    throw new Error(`${name} is neither a clause nor a defect nor a variant nor a drift (drift:ID).`);
  });
  return [...new Set(rows)];
}
