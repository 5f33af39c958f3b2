/** The rows of the matrix by their names: the conforming target, defects, variants, drifts, and drifts with a defect beneath. */
import { CLAUSES, type ClauseId } from '../../spec/generated/clauses.js';
import { DEFECTS } from '../defects/index.js';
import { compose } from '../drifts/drift.js';
import { DRIFTS, type Drift } from '../drifts/index.js';
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

/** A row that is to be run, and the clauses that are asked on it; undefined: all. */
export interface Planned {
  readonly name: string;
  readonly clauses?: readonly ClauseId[];
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
export function shows({ name, clauses }: Planned): boolean {
  const { defect, variant, drift } = rowOf(name);
  if (clauses?.includes('DOC-01') === false) return false;
  return name === CLEAN || (drift === undefined && (defect ?? variant)?.browser === true);
}

/** Whether a run of it waits, which takes long and hardly any processor time. */
export function waits(row: Planned): boolean {
  return shows(row) || rowOf(row.name).variant?.long === true;
}

/** Each drift alone, and with each defect of the sample beneath. */
export function driftRows(drifts: readonly Drift[] = DRIFTS, sample: readonly Defect[] = SAMPLE): string[] {
  return drifts.flatMap((drift) => [driftRow(drift), ...sample.map((defect) => crossedRow(drift, defect))]);
}

/** A defect, asked about by the clauses that must catch it. */
const byItsOwn = ({ id, clauses }: Defect): Planned => ({ name: id, clauses });

const wholly = (name: string): Planned => ({ name });

/** One of so many variants is in the sample, and one of so many drifts, beside those that are named. */
const SAMPLED_VARIANTS = 20;
const SAMPLED_DRIFTS = 6;

/** Drifts that are in the sample alone, and each with so many defects beneath. */
const CROSSED: readonly string[] = ['tokens-nested', 'refused-403', 'no-rotation', 'one-session', 'trio'];
const BENEATH = 4;

/** Defects on which the sample asks all clauses, for nothing else to fail: of different areas. */
const WHOLLY: readonly string[] = [
  ...['success-missing-on-create', 'unused-account-taken-over', 'weak-key', 'long-chain-ends'],
  ...['token-in-body', 'viewer-writes', 'old-session-ends', 'schema-drifted-path'],
];

/**
 * What `npm test` runs: every defect by its own clauses, and all clauses on the conforming target, on some defects and some of
 * the variants, and on some drifts, of which some with defects beneath. The whole is `npm run kill`, which CI runs every night.
 */
function sampleRows(): Planned[] {
  const variants = VARIANTS.filter(
    ({ browser, long }, i) => browser !== true && long !== true && i % SAMPLED_VARIANTS === 0,
  );
  const crossed = DRIFTS.filter(({ id }) => CROSSED.includes(id));
  const drifts = DRIFTS.filter((drift, i) => i % SAMPLED_DRIFTS === 0 && !crossed.includes(drift));
  const every = Math.floor(SAMPLE.length / BENEATH);
  const beneath = (drift: Drift): readonly Defect[] =>
    SAMPLE.filter((_, i) => i % every === DRIFTS.indexOf(drift) % every);
  const whole = [
    ...[...WHOLLY, ...variants.map(({ id }) => id), ...drifts.map(driftRow)],
    ...crossed.flatMap((drift) => driftRows([drift], beneath(drift))),
  ];
  // A server of its own is wrong as a whole: which clauses pass on it is pinned too.
  // The page of the documentation on the conforming target stands in everything.selftest.ts, in a whole run.
  const clean = { name: CLEAN, clauses: CLAUSES.map(({ id }) => id).filter((id) => id !== 'DOC-01') };
  return [
    clean,
    ...whole.map(wholly),
    ...DEFECTS.map((one) => (one.server === undefined ? byItsOwn(one) : wholly(one.id))),
  ];
}

/** The defects of a clause, and whether it holds on the conforming target. */
function rowsOfClause(clause: ClauseId): Planned[] {
  const defects = DEFECTS.filter(({ clauses }) => clauses.includes(clause)).map(byItsOwn);
  return defects.length === 0 ? [] : [{ name: CLEAN, clauses: [clause] }, ...defects];
}

function planOf(name: string): Planned[] {
  const clause = CLAUSES.find(({ id }) => id === name);
  if (clause !== undefined) return rowsOfClause(clause.id);
  if (name === CLEAN) return [wholly(CLEAN)];
  if (name === 'variants') return VARIANTS.map(({ id }) => wholly(id));
  if (name === 'drifts') return driftRows().map(wholly);
  if (name === 'drifts-alone') return DRIFTS.map(driftRow).map(wholly);
  if (name === 'sample') return sampleRows();
  if (name.endsWith(CROSS + CLEAN)) return planOf(name.slice(0, -(CROSS + CLEAN).length)).slice(0, 1);
  const { drift, ...others } = rowOf(name);
  if (drift !== undefined && others.defect === undefined && !name.includes(CROSS))
    return driftRows([drift]).map(wholly);
  if (Object.keys(others).length > 0) return [wholly(name)];
  throw new Error(`${name} is neither a clause nor a defect nor a variant nor a drift (drift:ID).`);
}

/**
 * The rows that somebody asks for, each once.
 * @param names clauses, defects, variants, drifts (`drift:ID`), or `none`, `variants`, `drifts`, `drifts-alone`, `sample`; empty: the
 *   matrix
 * @param whole asks all clauses on each row, also where a clause was named
 * @throws Error for a name that nothing has
 */
export function rowsFor(names: readonly string[], whole = false): Planned[] {
  if (names.length === 0) return [CLEAN, ...[...VARIANTS, ...DEFECTS].map(({ id }) => id)].map(wholly);
  const rows = new Map<string, Planned>();
  for (const { name, clauses } of names.flatMap(planOf)) {
    const before = rows.get(name);
    const all = whole || clauses === undefined || (before !== undefined && before.clauses === undefined);
    rows.set(name, all ? { name } : { name, clauses: [...new Set([...(before?.clauses ?? []), ...clauses])] });
  }
  return [...rows.values()];
}
