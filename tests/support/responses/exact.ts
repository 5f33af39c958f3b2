/** Ids as they stand in the text of a body: beyond 2^53 `JSON.parse` reads another number than was sent. */
import { payloadIn, rowsIn, userIn } from '../../../fixtures/evidence/reading.js';
import { asObject, parseJson, type JsonObject } from '../../../fixtures/evidence/json.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';

/** A whole string, or an integer of sixteen digits and more: only those can be rounded. */
const STRING_OR_LONG_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g;

/** The body, with integers beyond 2^53 as strings of their digits; `reply.json` where there can be none. */
function exactJson(reply: Reply): unknown {
  if (reply.json === undefined || !/\d{16}/.test(reply.text)) return reply.json;
  return parseJson(
    reply.text.replace(STRING_OR_LONG_INTEGER, (found) => (found.startsWith('"') ? found : `"${found}"`)),
  );
}

/** An id as it is compared and put into a path; undefined if the value is none. */
export function idText(id: unknown): string | undefined {
  return (typeof id === 'number' && Number.isFinite(id)) || (typeof id === 'string' && id !== '')
    ? String(id)
    : undefined;
}

/** The id of a row, as it stands in the body. */
export function idOf(row: unknown): string | undefined {
  return idText(asObject(row)?.['id']);
}

/** `reply.payload` with exact ids. */
export function exactPayload(reply: Reply): JsonObject {
  return payloadIn(exactJson(reply)) ?? {};
}

/** `reply.rows` with exact ids. */
export function exactRows(reply: Reply): readonly unknown[] | undefined {
  return rowsIn(exactJson(reply))?.value;
}

/** `reply.user` with exact ids. */
export function exactUser(reply: Reply): JsonObject {
  return userIn(exactJson(reply))?.value ?? {};
}
