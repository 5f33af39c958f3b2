/** Where the check of each clause stands: all of them are declared by one function, so that Playwright takes its line for theirs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClauseId } from '../spec/generated/clauses.js';

export interface CheckLocation {
  /** Absolute. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
}

const DECLARATION = /^clause\(\s*'([A-Z]{3}-\d{2})'/gm;

/** @param folder that of the checks */
export function checkLocations(folder: string): ReadonlyMap<ClauseId, CheckLocation> {
  const locations = new Map<ClauseId, CheckLocation>();
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.spec.ts'))) {
    const file = join(folder, name);
    const source = readFileSync(file, 'utf8');
    for (const match of source.matchAll(DECLARATION)) {
      locations.set(match[1] as ClauseId, { file, line: source.slice(0, match.index).split('\n').length });
    }
  }
  return locations;
}
