/** `CONFORMANCE_EVIDENCE=shape`: what is kept of a body is its structure only, for targets whose data may not leave them. */
import type { Exchange } from '../fixtures/evidence/outcome.js';

/** Levels of a body that are shown, and fields of one object. */
const SHOWN = { depth: 8, fields: 60 };

function shapeOf(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) {
    if (depth === 0) return 'array';
    return value.length === 0
      ? []
      : [shapeOf(value[0], depth - 1), ...(value.length > 1 ? [`${String(value.length)} items`] : [])];
  }
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (depth === 0) return 'object';
  const fields = Object.entries(value).slice(0, SHOWN.fields);
  return Object.fromEntries(fields.map(([name, field]) => [name, shapeOf(field, depth - 1)]));
}

/** The structure of a body: of JSON its fields with the types of their values, of anything else its length. */
export function bodyShape(body: string): string {
  if (body === '') return '';
  try {
    return JSON.stringify(shapeOf(JSON.parse(body), SHOWN.depth));
  } catch {
    return `not JSON, or cut: ${String(body.length)} characters`;
  }
}

/** The exchange without the data in its bodies and in the claims of its tokens. */
export function withoutData(exchange: Exchange): Exchange {
  const { request, response, tokens } = exchange;
  return {
    ...exchange,
    request: request.body === undefined ? request : { ...request, body: bodyShape(request.body) },
    ...(response === undefined ? {} : { response: { ...response, body: bodyShape(response.body) } }),
    ...(tokens === undefined
      ? {}
      : { tokens: tokens.map((token) => ({ ...token, claims: shapeOf(token.claims, SHOWN.depth) })) }),
  };
}
