/** What a run of the drifts measured, as published in docs/kill-matrix.md and held by `npm run kill -- drifts`. */
import type { ClauseId } from '../../spec/generated/clauses.js';

export interface Pin {
  /** Clauses that are blocked by the drift alone. */
  readonly blocked: readonly ClauseId[];
  /** Defects of the sample that are not found under it, though somebody could. */
  readonly missed: readonly string[];
}

export const PINS: Readonly<Record<string, Pin>> = {
  'token-names': { blocked: ['ENV-08'], missed: [] },
  'token-names-in-camels': { blocked: ['ENV-08'], missed: [] },
  'tokens-nested': { blocked: ['ENV-08'], missed: [] },
  'tokens-nested-at-register': { blocked: [], missed: [] },
  'user-flat': { blocked: ['ENV-08'], missed: [] },
  'user-as-profile': { blocked: ['ENV-08'], missed: [] },
  'no-envelope': {
    blocked: ['RID-06', 'ENV-02', 'ENV-05', 'ENV-08', 'ENV-09', 'RID-03', 'RID-04', 'RID-05'],
    missed: [],
  },
  'lists-as-arrays': { blocked: ['ENV-08'], missed: [] },
  'lists-as-items': { blocked: [], missed: [] },
  'no-request-id': { blocked: ['RID-06', 'ENV-08', 'RID-03', 'RID-04', 'RID-05'], missed: [] },
  'error-as-object': { blocked: ['ENV-08'], missed: [] },
  'errors-in-html': { blocked: [], missed: [] },
  'refused-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'missing-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'missing-302': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'no-rotation': { blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13', 'ENV-08'], missed: [] },
  'no-rotation-same-token': { blocked: ['EXP-09', 'REF-05', 'REF-06', 'REF-12', 'REF-13'], missed: [] },
  'refresh-path': { blocked: [], missed: [] },
  'refresh-path-without-slash': { blocked: [], missed: [] },
  'login-path': { blocked: [], missed: [] },
  'register-path': { blocked: [], missed: [] },
  'refresh-field': { blocked: [], missed: [] },
  'subject-sub': { blocked: [], missed: [] },
  'subject-uid': { blocked: [], missed: [] },
  'register-body': { blocked: [], missed: [] },
  'registration-closed': {
    blocked: [
      'REG-02',
      'REG-03',
      'REG-04',
      'REG-05',
      'REG-06',
      'REG-07',
      'REG-08',
      'REG-09',
      'REG-10',
      'REG-11',
      'REG-12',
      'REG-13',
      'REG-14',
      'REG-15',
      'REG-16',
      'ROB-09',
      'THR-03',
    ],
    missed: [],
  },
  'one-session': { blocked: [], missed: [] },
  'names-and-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04', 'ENV-08'], missed: [] },
  'no-rotation-and-403': {
    blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13', 'UNA-02', 'JRN-02', 'JRN-04', 'ENV-08'],
    missed: [],
  },
  'no-envelope-and-403': {
    blocked: [
      'RID-06',
      'ENV-02',
      'ENV-05',
      'ENV-08',
      'ENV-09',
      'RID-03',
      'RID-04',
      'RID-05',
      'UNA-02',
      'JRN-02',
      'JRN-04',
    ],
    missed: [],
  },
  'path-and-field': { blocked: [], missed: [] },
  trio: {
    blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13', 'UNA-02', 'JRN-02', 'JRN-04', 'ENV-08'],
    missed: [],
  },
};
