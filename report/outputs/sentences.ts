/** What every output says in the same words. Texts in here are not escaped yet: each output does that in its own way. */
import type { Report, ReportedClause } from '../report.js';

/** Reason of a clause of which no check ran. */
export const NOT_RUN = 'No check of it ran in this run.';

/** `1 clause`, `2 clauses`. */
export function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** The first ids, and how many there are. */
export function idList(ids: readonly string[], shown = 10): string {
  if (ids.length <= shown) return ids.join(', ');
  return `${ids.slice(0, shown).join(', ')}, … (${String(ids.length)})`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 120 ? `${String(seconds)} s` : `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`;
}

export function targetName({ target }: Report): string {
  if (target.embedded) return 'the embedded target';
  return target.baseUrl === '' ? 'the target' : target.baseUrl;
}

function capital(text: string): string {
  return /^https?:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** The verdict of the run as a sentence; of an unusable configuration, one line for each fault. */
export function verdictSentence(report: Report): string {
  const { verdict, totals, clauses, causes, shards } = report;
  const shard =
    shards?.present.length === 1 && shards.total > 1
      ? `Shard ${String(shards.present[0])} of ${String(shards.total)}: `
      : '';
  // A selection of clauses says nothing of the others.
  const selected = clauses.filter(({ verdict: one, reason }) => one !== 'unverified' || reason !== NOT_RUN).length;
  const selection = selected > 0 && selected < clauses.length;
  const of = `${String(totals.passed)} of ${String(selected || clauses.length)} ${selection ? 'selected clauses' : 'clauses'} hold`;
  const open = totals.unverified + totals.blocked - (selection ? clauses.length - selected : 0);
  if (verdict === 'not conformant') {
    const gating = causes.filter(({ gates }) => gates);
    const failed = clauses.filter((clause) => clause.verdict === 'failed' && clause.gates);
    return `${shard}${capital(targetName(report))} does not conform: ${count(failed.length, `${levels(report)} clause`)} ${failed.length === 1 ? 'fails' : 'fail'}, with ${count(gating.length, 'probable cause')}. ${of}.`;
  }
  if (verdict === 'inconclusive')
    return `${shard}Inconclusive: ${report.problems[0] ?? 'the run did not get to its end.'}`;
  const rest = [
    totals.failed > 0 &&
      `${String(totals.failed)} that ${totals.failed === 1 ? 'does' : 'do'} not gate ${totals.failed === 1 ? 'fails' : 'fail'}`,
    totals.waived > 0 && `${String(totals.waived)} waived`,
    open > 0 && `${String(open)} not checked`,
  ].filter((part) => part !== false);
  return `${shard}${capital(targetName(report))} conforms${selection ? ' in what was checked' : ''}: ${[of, ...rest].join(', ')}.`;
}

/** Problems that the sentence does not say already. */
export function otherProblems(report: Report): readonly string[] {
  return report.verdict === 'inconclusive' ? report.problems.slice(1) : report.problems;
}

/** The levels that gate, e.g. `MUST`. */
export function levels({ gate }: Report): string {
  return { must: 'MUST', should: 'MUST or SHOULD', all: 'MUST, SHOULD or MAY' }[gate.level];
}

/** What the gate asks for, and whether it holds. */
export function gateSentence(report: Report): string {
  const { gate } = report;
  return `Gate “${gate.level}” ${gate.passed ? 'holds' : 'does not hold'}`;
}

/** `443 requests (86 to login and register), 6 accounts made, 18 s, 12 s of it waiting …`. */
export function costSentence({ requests, durationMs }: Report): string {
  return [
    `${count(requests.total, 'request')} (${String(requests.auth)} to login and register)`,
    ...(requests.accountsMade > 0 ? [`${count(requests.accountsMade, 'account')} made`] : []),
    duration(durationMs),
    ...(requests.throttledMs > 0 ? [`checks waited ${duration(requests.throttledMs)} for the rate limit`] : []),
  ].join(', ');
}

/** Unverified clauses by what stands in their way, the largest group first. */
export function openClauses(report: Report): { readonly reason: string; readonly ids: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { id, verdict, reason } of report.clauses) {
    if (verdict === 'unverified') groups.set(reason, [...(groups.get(reason) ?? []), id]);
  }
  return [...groups].map(([reason, ids]) => ({ reason, ids })).sort((a, b) => b.ids.length - a.ids.length);
}

/** Blocked clauses that nothing explains: what blocks them did not fail in this run. */
export function blockedByNothing(report: Report): readonly ReportedClause[] {
  const explained = new Set(report.causes.flatMap(({ blocks }) => blocks));
  const waived = new Set(report.waivers.map(({ clause }) => clause));
  return report.clauses.filter(
    ({ id, verdict, blockedBy }) => verdict === 'blocked' && !explained.has(id) && !waived.has(blockedBy ?? ''),
  );
}

/** What changed against the baseline, one phrase for each kind of change that there is. */
export function changes({ baseline }: Report): { readonly what: string; readonly ids: readonly string[] }[] {
  if (baseline === undefined) return [];
  return [
    { what: 'newly failing', ids: baseline.newlyFailing },
    { what: 'fixed', ids: baseline.fixed },
    { what: 'newly unverified', ids: baseline.newlyUnverified },
  ].filter(({ ids }) => ids.length > 0);
}
