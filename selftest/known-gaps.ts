/**
 * False alarms and dark places that the checks still have on servers that are right: the list must shrink to empty. A clause listed
 * here for a variant or a drift may fail or be blocked on it; one that no longer does is a fault too, so that the list tells what is so
 * today.
 */
import type { ClauseId } from '../spec/generated/clauses.js';

export interface Gap {
  readonly clauses: readonly ClauseId[];
  readonly why: string;
}

/** Gaps by the id of the variant or drift. */
export const KNOWN_GAPS: Readonly<Record<string, readonly Gap[]>> = {
  'csrf-with-cookie': [{ why: 'Measured, and not mended yet.', clauses: ['UNA-11'] }],
  'foreign-shown': [{ why: 'Measured, and not mended yet.', clauses: ['ENV-08', 'ROB-11'] }],
  'lock-after-3': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-after-3-for-a-day': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-after-5': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-known-only': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-pair-after-5': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-says-400': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-says-401': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'lock-says-403': [
    {
      why: 'The given account is locked by wrong passwords, and everything that logs in waits or is blocked.',
      clauses: ['THR-03'],
    },
  ],
  'one-session-tokens-live-on': [
    { why: 'A login ends the one that other checks share.', clauses: ['EXP-06', 'REF-07', 'REF-14'] },
    { why: 'Measured, and not mended yet.', clauses: ['REF-11'] },
  ],
  'three-sessions': [
    {
      why: 'A login ends the one that other checks share.',
      clauses: [
        'EXP-04',
        'EXP-05',
        'EXP-06',
        'EXP-07',
        'EXP-10',
        'EXP-11',
        'FOR-01',
        'FOR-02',
        'FOR-03',
        'FOR-04',
        'FOR-05',
        'FOR-06',
        'FOR-09',
        'JRN-06',
        'NET-02',
        'ROB-01',
        'ROB-02',
        'ROB-03',
        'ROB-04',
        'ROB-05',
        'ROB-06',
        'ROB-07',
        'UNA-01',
        'UNA-02',
        'UNA-04',
        'UNA-05',
        'UNA-06',
        'UNA-07',
        'UNA-08',
        'UNA-09',
        'UNA-13',
        'UNA-15',
        'UNA-16',
        'UNA-17',
      ],
    },
  ],
  'window-too-short': [{ why: 'Measured, and not mended yet.', clauses: ['THR-02', 'THR-04'] }],
};

/** Defects that no check finds yet: the list must shrink to empty too. */
export const NOT_FOUND_YET: readonly string[] = ['latin-1-rows', 'a-bool-is-an-int'];

/** The clauses that are not to be counted against the checks, for a variant or drift. */
export function knownGaps(id: string): readonly ClauseId[] {
  return (KNOWN_GAPS[id] ?? []).flatMap(({ clauses }) => clauses);
}
