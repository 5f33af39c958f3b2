/** What of a run's exchanges a report has room for, so that no target can make it large. */
import type { Exchange } from '../fixtures/evidence/outcome.js';
import { shortened } from './outputs/escape.js';
import { TELLING } from './outputs/headers.js';
import type { ClauseResult } from './verdict.js';

/** How much is shown of one clause. */
export const SHOWN = { failures: 12, failuresWithExchange: 8, rows: 200, measurements: 20, evidence: 2 };
/** Characters. */
export const LONGEST = { message: 800, detail: 400, name: 200, problem: 3000 };

const HEADERS = { count: 30, name: 100, value: 300 };
/** Characters of a body: of what failed, of what did not, and of a row. */
const BODY = { failure: 2100, evidence: 600, row: 300 };
/** Characters of all exchanges together, and of those of rows. */
const ROOM = { exchanges: 1_500_000, rows: 700_000 };

/** The exchanges that a report keeps, shortened: of failures and as evidence, and of rows. */
export interface Kept {
  readonly full: ReadonlyMap<Exchange, Exchange>;
  readonly rows: ReadonlyMap<Exchange, Exchange>;
}

export function isWrong({ verdict }: ClauseResult): boolean {
  return verdict === 'failed' || verdict === 'waived';
}

type Headers = Exchange['request']['headers'];

/** An exchange within bounds that no target can stretch. */
function bounded(exchange: Exchange, bodyCharacters: number, keep: (header: string) => boolean): Exchange {
  const headers = (list: Headers): Headers =>
    list
      .filter(([name]) => keep(name))
      .slice(0, HEADERS.count)
      .map(([name, value]) => [shortened(name, HEADERS.name), shortened(value, HEADERS.value)]);
  const { request, response, tokens } = exchange;
  return {
    ...exchange,
    request: {
      ...request,
      headers: headers(request.headers),
      ...(request.body === undefined ? {} : { body: shortened(request.body, bodyCharacters) }),
    },
    ...(response === undefined
      ? {}
      : {
          response: { ...response, headers: headers(response.headers), body: shortened(response.body, bodyCharacters) },
        }),
    ...(tokens === undefined
      ? {}
      : { tokens: tokens.filter((token) => JSON.stringify(token).length < BODY.failure).slice(0, 4) }),
  };
}

/** The compact form of an exchange of a row. */
function compact(exchange: Exchange): Exchange {
  const { tokens: _, ...rest } = bounded(exchange, BODY.row, (name) => TELLING.test(name));
  return rest;
}

/** Takes exchanges as long as there is room: of each list the first before the second. */
function fill(
  kept: Map<Exchange, Exchange>,
  room: number,
  lists: readonly (readonly (Exchange | undefined)[])[],
  shorten: (exchange: Exchange) => Exchange,
): number {
  let left = room;
  const turns = Math.max(0, ...lists.map(({ length }) => length));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const exchange of lists.flatMap((list) => list[turn] ?? [])) {
      if (kept.has(exchange)) continue;
      const short = shorten(exchange);
      const { length } = JSON.stringify(short);
      if (length > left) continue;
      kept.set(exchange, short);
      left -= length;
    }
  }
  return left;
}

/** The exchange of a row, by its id; undefined if its check did not keep it. */
export function rowExchange(result: ClauseResult, id: string | undefined): Exchange | undefined {
  return id === undefined ? undefined : result.exchanges.find((exchange) => exchange.id === id);
}

/** The exchanges of all clauses that a report has room for: first those of failures. */
export function fittingExchanges(results: readonly ClauseResult[]): Kept {
  const full = new Map<Exchange, Exchange>();
  const left = fill(
    full,
    ROOM.exchanges,
    results
      .filter(isWrong)
      .map(({ failures }) => failures.slice(0, SHOWN.failuresWithExchange).map(({ exchange }) => exchange)),
    (exchange) => bounded(exchange, BODY.failure, () => true),
  );
  const others = results.filter((result) => !isWrong(result));
  fill(
    full,
    left,
    others.map(({ exchanges }) => exchanges.slice(-SHOWN.evidence)),
    (exchange) => bounded(exchange, BODY.evidence, () => true),
  );
  const rows = new Map<Exchange, Exchange>();
  const rowsOf = (result: ClauseResult): (Exchange | undefined)[] =>
    // What failed before what did not.
    [...result.rows]
      .sort((a, b) => Number(b.verdict === 'failed') - Number(a.verdict === 'failed'))
      .slice(0, SHOWN.rows)
      .map(({ exchange }) => rowExchange(result, exchange));
  fill(rows, ROOM.rows, results.map(rowsOf), compact);
  return { full, rows };
}
