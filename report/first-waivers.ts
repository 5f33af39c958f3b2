/**
 * A first waiver file from a report, so that a target with known faults can be gated from the first day on:
 * `npm run waivers -- conformance-report/report.json --owner NAME [--days 90] [--link URL] [--all] [--out waivers.yaml]`
 */
import { existsSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Document, isScalar, isSeq, visit } from 'yaml';
import { LONGEST_WAIVER_DAYS } from '../fixtures/run/waivers.js';
import { shortened, visible } from './outputs/escape.js';
import { readReport, type EarlierReport } from './baseline.js';
import { blockedUnder } from './causes.js';

const DAY_MS = 86_400_000;

const USAGE = `npm run waivers -- REPORT --owner NAME [--days ${String(LONGEST_WAIVER_DAYS / 2)}] [--link URL] [--all] [--out FILE]
  REPORT   a report.json
  --owner  who is responsible for resolving the waivers
  --days   until they end, at most ${String(LONGEST_WAIVER_DAYS)}
  --link   where the work on them is tracked
  --all    also for failed clauses that do not gate
  --out    file to write; default: the console`;

/** The text of a waiver file with one waiver for each failed clause of a report. */
export function firstWaivers(
  report: EarlierReport,
  options: {
    readonly owner: string;
    readonly days: number;
    readonly link: string;
    readonly all: boolean;
    readonly today: number;
  },
): string {
  const expires = new Date(options.today + options.days * DAY_MS).toISOString().slice(0, 10);
  const waivers = report.clauses
    .filter(({ verdict, gates }) => verdict === 'failed' && (options.all || gates !== false))
    .map(({ id, reason }) => ({
      clause: id,
      reason: `Known on adoption: ${shortened(visible(reason), 160)}`,
      link: options.link,
      owner: options.owner,
      expires,
      blocks: blockedUnder(report.clauses, [id]),
    }))
    .map(({ blocks, ...waiver }) => (blocks.length === 0 ? waiver : { ...waiver, blocks }));
  const target = visible(report.target.embedded ? 'the embedded target' : report.target.baseUrl);
  const head = [
    `# Known failures of ${target}, waived until they are fixed; from the report of ${report.startedAt.slice(0, 10)}.`,
    '# Say in each what is going to be done, link its issue, and remove it when the clause passes: a stale waiver fails the gate.',
    '# `blocks` names the clauses that cannot be judged until the failure is fixed: one that is not named fails the gate.',
  ];
  const document = new Document(waivers);
  visit(document, {
    Pair: (_, { key, value }) => {
      if (isScalar(key) && key.value === 'blocks' && isSeq(value)) value.flow = true;
    },
  });
  return `${head.join('\n')}\n${document.toString({ lineWidth: 140 })}`;
}

/** @returns the exit code */
function main(args: readonly string[]): number {
  const complain = (what: string): number => {
    process.stderr.write(`${what}\n\n${USAGE}\n`);
    return 1;
  };
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        owner: { type: 'string' },
        days: { type: 'string', default: String(LONGEST_WAIVER_DAYS / 2) },
        link: { type: 'string', default: 'the issue that ends this' },
        all: { type: 'boolean', default: false },
        out: { type: 'string' },
      },
    });
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
  const { owner, days, link, all, out } = parsed.values;
  const [path, ...others] = parsed.positionals;
  if (path === undefined || others.length > 0) return complain('One report is needed.');
  if (owner === undefined || owner === '') return complain('--owner is needed.');
  const number = Number(days);
  if (!Number.isInteger(number) || number < 1 || number > LONGEST_WAIVER_DAYS)
    return complain(`--days is “${days}”, but should be a whole number from 1 to ${String(LONGEST_WAIVER_DAYS)}.`);
  if (out !== undefined && existsSync(out))
    return complain(`${out} exists already: add to it by hand, or name another file.`);
  const report = readReport(path);
  if (typeof report === 'string') return complain(report);
  const text = firstWaivers(report, { owner, days: number, link, all, today: Date.now() });
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(out, text);
  return 0;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
