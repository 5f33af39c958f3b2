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

/** `16 not judged (8 MUST)`; empty if all were judged. */
function notJudgedPhrase(report: Report): string {
  const all = notJudged(report);
  if (all.length === 0) return '';
  const gating = all.filter(({ gates }) => gates).length;
  return `${String(all.length)} not judged${gating > 0 ? ` (${String(gating)} ${levels(report)})` : ''}`;
}

/** `100 of 131 clauses hold`. */
function holding(report: Report): string {
  const { selected, partly } = selection(report);
  const of = partly ? selected : report.clauses.length;
  const { passed } = report.totals;
  return `${String(passed)} of ${count(of, partly ? 'selected clause' : 'clause')} ${passed === 1 || of === 1 ? 'holds' : 'hold'}`;
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
  const rest = [holding(report), open, mild > 0 ? count(mild, 'non-gating failure') : ''].filter(Boolean).join(', ');
  const checked = selection(report).partly ? ' in what was checked' : '';
  if (verdict === 'not conformant') {
    const failed = clauses.filter((clause) => clause.verdict === 'failed' && clause.gates).length;
    const found = count(causes.filter(({ gates }) => gates).length, 'probable cause');
    const fails = `${count(failed, `${levels(report)} clause`)} ${failed === 1 ? 'fails' : 'fail'} (${found})`;
    return `${shard}${name} does not conform: ${fails}. ${rest}.`;
  }
  if (verdict === 'inconclusive')
    return `${shard}Inconclusive for ${targetName(report)}: ${report.problems[0] ?? 'the run did not get to its end.'}`;
  if (verdict === 'conformant with waivers') {
    return `${shard}${name} conforms with waivers${checked}: ${count(totals.waived, 'waiver')}. ${rest}.`;
  }
  return `${shard}${name} conforms${checked}: ${rest}.`;
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
  return (
    `${count(all, 'response')} came from something in front of the API (${kinds.join('; ')}${more}) ` +
    `and ${all === 1 ? 'is' : 'are'} not judged as the API’s.`
  );
}

/** What is worth a word next to the verdicts, a sentence each. */
export function notesOf(report: Report): readonly string[] {
  return [frontSentence(report), ...report.notes].filter((note) => note !== '');
}

/** What the gate asks for, and whether it holds. */
export function gateSentence(report: Report): string {
  return `Gate (${levels(report)}): ${report.gate.passed ? 'passed' : 'failed'}`;
}

/** How long checks waited for the rate limit; empty if none did. */
function waitedPhrase({ requests }: Report): string {
  if (requests.throttledMs === 0) return '';
  return `checks waited ${duration(requests.throttledMs)} in total for the rate limit, summed over workers`;
}

/** `443, of which 86 to login and register`. */
export function requestsPhrase(report: Report): string {
  const { total, auth } = report.requests;
  return [`${String(total)}, of which ${String(auth)} to login and register`, waitedPhrase(report)]
    .filter(Boolean)
    .join('; ');
}

/** `443 requests (86 to login and register), 6 accounts registered, 18 s`. */
export function costSentence(report: Report): string {
  const { total, auth, accountsMade } = report.requests;
  return [
    `${count(total, 'request')} (${String(auth)} to login and register)`,
    accountsMade > 0 ? `${count(accountsMade, 'account')} registered` : '',
    duration(report.durationMs),
    waitedPhrase(report),
  ]
    .filter(Boolean)
    .join(', ');
}

/** Which accounts the run used, by role. */
export function accountsPhrase({ configuration, target, requests }: Report): string {
  const seeded = target.embedded ? 'of the embedded target' : undefined;
  const owner = configuration['IGNY8_EMAIL'] ?? seeded ?? 'registered by the run';
  const viewer = configuration['IGNY8_VIEWER_EMAIL'] ?? seeded ?? 'none given';
  const made = requests.accountsMade > 0 ? [`${String(requests.accountsMade)} registered for checks`] : [];
  return [`read and write: ${owner}`, `read-only: ${viewer}`, ...made].join('; ');
}

/** When and where the run was made, and by whom as far as the CI says so: `2026-03-01 12:00 to 12:02 UTC (18 s)`. */
export function runPhrase({ startedAt, durationMs, run }: Report): string {
  const [day, from, to] = [startedAt.slice(0, 10), startedAt.slice(11, 16), run.endedAt.slice(11, 16)];
  const end = run.endedAt.startsWith(day) ? to : `${run.endedAt.slice(0, 10)} ${to}`;
  const by = run.by === undefined ? '' : ` by ${run.by}`;
  return `${day} ${from} to ${end} UTC (${duration(durationMs)}),${by} ${run.url === undefined ? 'outside CI' : 'in CI:'}`;
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
