/** The documented requests as lines for a shell. */
import { OPERATIONS, REQUEST_EXAMPLES, type OperationId } from './generated/operations.js';

export interface DocumentedRequest {
  readonly operationId: string;
  readonly summary: string;
  /** With `$BASE_URL`, `$ACCESS_TOKEN`, `$REFRESH_TOKEN` and `$KEYWORD_ID` to be filled in by the shell. */
  readonly curl: string;
  /** Documented successes. */
  readonly statuses: readonly string[];
}

/** Which operations have one is known by their types; here all are gone through. */
const EXAMPLES: Readonly<Partial<Record<OperationId, unknown>>> = REQUEST_EXAMPLES;

export function documentedRequests(): DocumentedRequest[] {
  return OPERATIONS.map(({ operationId, summary, method, path, bearer, answers }) => {
    const address = `"\${BASE_URL}${path.slice(1).replace('{id}', '${KEYWORD_ID}')}"`;
    const lines = [`curl -sS ${method === 'GET' ? '' : `-X ${method} `}${address}`];
    if (bearer) lines.push(`-H "Authorization: Bearer $ACCESS_TOKEN"`);
    const example = EXAMPLES[operationId];
    if (example !== undefined) {
      const body = JSON.stringify(example).replace('<refresh token>', `'"$REFRESH_TOKEN"'`);
      lines.push(`-H 'Content-Type: application/json'`, `-d '${body}'`);
    }
    return {
      operationId,
      summary,
      curl: lines.join(' \\\n  '),
      statuses: Object.keys(answers).filter((status) => status.startsWith('2')),
    };
  });
}
