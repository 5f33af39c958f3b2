/** `badge.json`: for an endpoint badge of shields. */
import type { Report } from '../model.js';

const COLOURS: Record<Report['verdict'], string> = {
  conformant: 'brightgreen',
  'conformant with waivers': 'orange',
  'not conformant': 'red',
  inconclusive: 'lightgrey',
};

export function badge({ verdict, totals, clauses, target }: Report): string {
  const open = totals.blocked + totals.unverified;
  const parts = [
    verdict,
    `${String(totals.passed)}/${String(clauses.length)}`,
    ...(totals.waived > 0 ? [`${String(totals.waived)} waived, ${String(open)} not judged`] : []),
  ];
  return JSON.stringify({
    schemaVersion: 1,
    label: target.embedded ? 'IGNY8 auth (embedded target)' : 'IGNY8 auth',
    message: parts.join(' · '),
    color: COLOURS[verdict],
  });
}
