/** The example reports of docs/examples: real runs against a conforming and a drifted reference, made by `npm run examples`. */
import { join } from 'node:path';
import type { ReferenceOptions } from '../../fixtures/reference/server.js';
import { DEFECTS } from '../defects/index.js';
import { compose } from '../drifts/drift.js';
import { DRIFTS } from '../drifts/index.js';
import { ROOT } from './command-line.js';

export interface Example {
  readonly file: string;
  readonly options: Pick<ReferenceOptions, 'replace'>;
  /** The clauses that fail on this server: none other does. */
  readonly fails: readonly string[];
}

/** Bytes: small enough to be kept with the sources. */
export const LARGEST_EXAMPLE = 400_000;
/** Characters for evidence, rows and the printed appendix, so that a page stays below that. */
export const EXAMPLE_ROOM = { evidence: 110_000, rows: 80_000, appendix: 30_000 };

/** What drifts together on many servers, with two faults on top. */
const DRIFT = 'trio';
const FAULTS = ['access-an-hour', 'none-accepted'];

const named = <T extends { readonly id: string }>(all: readonly T[], id: string): T => {
  const found = all.find((one) => one.id === id);
  if (found === undefined) throw new Error(`Nothing is called ${id}.`);
  return found;
};

/** Both examples, with what they must show. */
export function examples(): readonly Example[] {
  const drift = named(DRIFTS, DRIFT);
  const faults = FAULTS.map((id) => named(DEFECTS, id));
  const { replace } = faults.reduce<Pick<ReferenceOptions, 'replace'>>(
    (server, fault) => compose(server, fault),
    drift,
  );
  return [
    { file: 'conforming.html', options: {}, fails: [] },
    {
      file: 'drifted.html',
      options: replace === undefined ? {} : { replace },
      fails: [...drift.fails, ...faults.flatMap(({ clauses }) => clauses)],
    },
  ];
}

export const examplePath = (file: string): string => join(ROOT, 'docs/examples', file);
