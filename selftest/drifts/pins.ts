/** What a run of the drifts measured, as published in docs/kill-matrix.md and held by `npm run kill -- drifts`. */
import type { ClauseId } from '../../spec/generated/clauses.js';

export interface Pin {
  /** Clauses that are blocked by the drift alone. */
  readonly blocked: readonly ClauseId[];
  /** Defects of the sample that are not found under it, though somebody could. */
  readonly missed: readonly string[];
}

export const PINS: Readonly<Record<string, Pin>> = {
  'token-names': { blocked: [], missed: [] },
  'token-names-in-camels': { blocked: [], missed: [] },
  'tokens-nested': { blocked: [], missed: [] },
  'tokens-nested-at-register': { blocked: [], missed: [] },
  'user-flat': { blocked: ['ROB-09'], missed: ['names-composed'] },
  'user-as-profile': { blocked: ['ROB-09'], missed: ['names-composed'] },
  'no-envelope': { blocked: ['RID-06', 'ROB-09'], missed: ['names-composed'] },
  'lists-as-arrays': { blocked: [], missed: [] },
  'lists-as-items': { blocked: [], missed: [] },
  'no-request-id': { blocked: ['RID-06'], missed: [] },
  'error-as-object': { blocked: [], missed: [] },
  'errors-in-html': { blocked: [], missed: [] },
  'refused-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'missing-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'missing-302': { blocked: ['RID-06', 'UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'no-rotation': { blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13'], missed: [] },
  'no-rotation-same-token': { blocked: ['EXP-09', 'REF-05', 'REF-06', 'REF-12', 'REF-13'], missed: [] },
  'refresh-path': { blocked: [], missed: [] },
  'refresh-path-without-slash': { blocked: [], missed: [] },
  'login-path': { blocked: [], missed: ['never-throttled', 'limit-by-x-forwarded-for'] },
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
      'THR-04',
    ],
    missed: [],
  },
  'one-session': { blocked: ['FOR-01', 'FOR-02', 'FOR-03', 'FOR-07', 'FOR-08', 'FOR-09'], missed: [] },
  'names-and-403': { blocked: ['UNA-02', 'JRN-02', 'JRN-04'], missed: [] },
  'no-rotation-and-403': {
    blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13', 'UNA-02', 'JRN-02', 'JRN-04'],
    missed: [],
  },
  'no-envelope-and-403': { blocked: ['RID-06', 'UNA-02', 'ROB-09', 'JRN-02', 'JRN-04'], missed: ['names-composed'] },
  'path-and-field': { blocked: [], missed: [] },
  trio: {
    blocked: ['EXP-09', 'REF-04', 'REF-05', 'REF-06', 'REF-12', 'REF-13', 'UNA-02', 'JRN-02', 'JRN-04'],
    missed: [],
  },
};
