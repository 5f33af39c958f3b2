/** What every output says in the same words. Strings in here are not escaped yet: each output does that in its own way. */
import { blockedUnder } from '../causes.js';
import type { Report, ReportedClause, ReportedWaiver } from '../model.js';

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

/** The levels that gate, e.g. `MUST`. */
export function levels({ gate }: Report): string {
  return { must: 'MUST', should: 'MUST and SHOULD', all: 'MUST, SHOULD and MAY' }[gate.level];
}

/** Clauses that were not selected, in a run that selected some. */
function selection({ clauses }: Report): { readonly selected: number; readonly partly: boolean } {
  const selected = clauses.filter(({ ran }) => ran).length;
  return { selected, partly: selected > 0 && selected < clauses.length };
}

/** How many clauses this run left out by choice. */
export function notSelected(report: Report): number {
  const { selected, partly } = selection(report);
  return partly ? report.clauses.length - selected : 0;
}

/** Clauses of the run that were not judged: blocked, or selected and unverified. */
export function notJudged(report: Report): readonly ReportedClause[] {
  const { partly } = selection(report);
  return report.clauses.filter(
    ({ verdict, ran }) => verdict === 'blocked' || (verdict === 'unverified' && (ran || !partly)),
  );
}

/** `22 MUST clauses not judged`, or those of other levels where there are none; empty if all were judged. */
function notJudgedPhrase(report: Report): string {
  const all = notJudged(report);
  const gating = all.filter(({ gates }) => gates).length;
  if (gating > 0) return `${count(gating, `${levels(report)} clause`)} not judged`;
  return all.length > 0 ? `${count(all.length, 'clause')} not judged` : '';
}

/** `100 of 131 clauses hold`. */
function holding(report: Report): string {
  const { selected, partly } = selection(report);
  const of = partly ? selected : report.clauses.length;
  const { passed } = report.totals;
  return `${String(passed)} of ${count(of, partly ? 'selected clause' : 'clause')} ${passed === 1 ? 'holds' : 'hold'}`;
}

/** The verdict of the run as a sentence that names the target; of an unusable configuration, one line for each fault. */
export function verdictSentence(report: Report): string {
  const { verdict, totals, clauses, causes, shards } = report;
  const shard =
    shards?.present.length === 1 && shards.total > 1
      ? `Shard ${String(shards.present[0])} of ${String(shards.total)}: `
      : '';
  const name = capital(targetName(report));
  const open = notJudgedPhrase(report);
  const mild = clauses.filter((clause) => clause.verdict === 'failed' && !clause.gates).length;
  const rest = [holding(report), ...(mild > 0 ? [count(mild, 'non-gating failure')] : [])].join(', ');
  const checked = selection(report).partly ? ' in what was checked' : '';
  if (verdict === 'not conformant') {
    const failed = clauses.filter((clause) => clause.verdict === 'failed' && clause.gates).length;
    const found = count(causes.filter(({ gates }) => gates).length, 'probable cause');
    const fails = `${count(failed, `${levels(report)} clause`)} ${failed === 1 ? 'fails' : 'fail'} (${found})`;
    return `${shard}${name} does not conform: ${[fails, open].filter(Boolean).join('; ')}. ${rest}.`;
  }
  if (verdict === 'inconclusive')
    return `${shard}Inconclusive for ${targetName(report)}: ${report.problems[0] ?? 'the run did not get to its end.'}`;
  if (verdict === 'conformant with waivers') {
    const waivers = [count(totals.waived, 'waiver'), open].filter(Boolean).join('; ');
    return `${shard}${name} conforms with waivers${checked}: ${waivers}. ${rest}.`;
  }
  return `${shard}${name} conforms${checked}: ${[rest, open].filter(Boolean).join(', ')}.`;
}

/** Problems that the sentence does not say already. */
export function otherProblems(report: Report): readonly string[] {
  return report.verdict === 'inconclusive' ? report.problems.slice(1) : report.problems;
}

/** What answered in place of the API, in one sentence; empty if nothing did. */
export function frontSentence({ fronts }: Report): string {
  if (fronts.length === 0) return '';
  const all = fronts.reduce((sum, { responses }) => sum + responses, 0);
  const kinds = fronts
    .slice(0, 4)
    .map(({ what, responses }) => (fronts.length === 1 ? what : `${what}: ${String(responses)}`));
  const more = fronts.length > kinds.length ? '; …' : '';
  return `${count(all, 'response')} came from something in front of the API (${kinds.join('; ')}${more}) and ${all === 1 ? 'is' : 'are'} not judged as the API’s.`;
}

/** What is worth a word next to the verdicts, a sentence each. */
export function notesOf(report: Report): readonly string[] {
  return [frontSentence(report), ...report.notes].filter((note) => note !== '');
}

/** What the gate asks for, and whether it holds. */
export function gateSentence(report: Report): string {
  return `Gate (${levels(report)}): ${report.gate.passed ? 'passed' : 'failed'}`;
}

/** `443 requests (86 to login and register), 6 accounts made, 18 s, …`. */
export function costSentence({ requests, durationMs }: Report): string {
  return [
    `${count(requests.total, 'request')} (${String(requests.auth)} to login and register)`,
    ...(requests.accountsMade > 0 ? [`${count(requests.accountsMade, 'account')} made`] : []),
    duration(durationMs),
    ...(requests.throttledMs > 0
      ? [`checks waited ${duration(requests.throttledMs)} in total for the rate limit, summed over workers`]
      : []),
  ].join(', ');
}

/** Which accounts the run used, by role. */
export function accountsSentence({ configuration, target, requests }: Report): string {
  const own = target.embedded ? 'of the embedded target' : 'registered by the run';
  const account = (email: string | undefined, role: string, otherwise: string): string =>
    email === undefined ? `${role}: ${otherwise}` : `${role}: ${email}`;
  return [
    account(configuration['IGNY8_EMAIL'], 'may write', own),
    account(configuration['IGNY8_VIEWER_EMAIL'], 'may only read', target.embedded ? own : 'none given'),
    ...(requests.accountsMade > 0 ? [`${count(requests.accountsMade, 'account')} registered for checks`] : []),
  ].join('; ');
}

/** Unverified clauses by what stands in their way, the largest group first; those that were not selected are left out. */
export function openClauses(report: Report): { readonly reason: string; readonly ids: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { id, verdict, reason } of notJudged(report)) {
    if (verdict === 'unverified') groups.set(reason, [...(groups.get(reason) ?? []), id]);
  }
  return [...groups].map(([reason, ids]) => ({ reason, ids })).sort((a, b) => b.ids.length - a.ids.length);
}

/** The command that also checks what unjudged clauses depend on and this run left out; undefined where that would not help. */
export function wholeSelection({ clauses }: Report): string | undefined {
  const ran = new Map(clauses.map((clause) => [clause.id, clause.ran]));
  const adrift = clauses.filter(({ dependsOn }) => dependsOn !== undefined && ran.get(dependsOn) === false);
  if (adrift.length === 0) return undefined;
  const wanted = new Set(adrift.flatMap(({ id, dependsOn }) => [id, dependsOn ?? id]));
  const ids = clauses.filter(({ id }) => wanted.has(id)).map(({ id }) => id);
  return `npx playwright test --grep "${ids.join('|')}"`;
}

/** The waivers of clauses that fail, each with what it keeps from being judged. */
export function waiversInForce(report: Report): (ReportedWaiver & { readonly hides: readonly string[] })[] {
  return report.waivers
    .filter(({ state }) => state === 'in force')
    .map((waiver) => ({ ...waiver, hides: blockedUnder(report.clauses, [waiver.clause]) }));
}

/** The clauses that fail, by the run since which they do without a break, the longest first; empty without a history. */
export function failingSince({
  history = [],
  clauses,
}: Report): { readonly id: string; readonly since: string; readonly runs: number }[] {
  const wrong = clauses.filter(({ verdict }) => verdict === 'failed' || verdict === 'waived');
  const broken = wrong.map(({ id }) => {
    const fine = history.findLastIndex(({ failed, waived }) => !failed.includes(id) && !waived.includes(id));
    const first = history[fine + 1];
    return { id, since: first?.startedAt.slice(0, 10) ?? '', runs: history.length - fine - 1 };
  });
  return broken.filter(({ runs }) => runs > 0).sort((a, b) => b.runs - a.runs);
}

/** `REF-05 since 2026-11-20 (5 runs)`, for those that failed before. */
export function failingSinceSentence(report: Report): string {
  const old = failingSince(report).filter(({ runs }) => runs > 1);
  return old.map(({ id, since, runs }) => `${id} fails since ${since} (${count(runs, 'run')})`).join(', ');
}

/** What changed against the baseline, one phrase for each kind of change that there is. */
export function changes({ baseline }: Report): { readonly what: string; readonly ids: readonly string[] }[] {
  if (baseline === undefined) return [];
  return [
    { what: 'newly failing', ids: baseline.newlyFailing },
    { what: 'newly waived', ids: baseline.newlyWaived },
    { what: 'fixed', ids: baseline.fixed },
    { what: 'newly unverified', ids: baseline.newlyUnverified },
  ].filter(({ ids }) => ids.length > 0);
}
