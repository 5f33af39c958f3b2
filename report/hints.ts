import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ClauseResult } from './verdict.js';

interface Hint {
  readonly seen?: string;
  readonly hint: string;
}

let table: Readonly<Record<string, readonly Hint[]>> | undefined;

/** The likely cause of a failed clause, in the target's own framework; empty where nothing typical is known. */
export function hintFor({ clause, verdict, failures }: ClauseResult): string {
  if (verdict !== 'failed' && verdict !== 'waived') return '';
  table ??= parse(readFileSync(new URL('hints.yaml', import.meta.url), 'utf8')) as Record<string, Hint[]>;
  const seen = failures.map((failure) => `${failure.seen ?? ''} ${failure.message}`).join('\n');
  return table[clause.id]?.find((hint) => hint.seen === undefined || seen.includes(hint.seen))?.hint ?? '';
}
