/** An exchange as a line that repeats it by hand: what was masked becomes a variable of the shell to fill in. */
import type { Exchange } from '../../fixtures/evidence/outcome.js';
import { NOISE } from './headers.js';
import type { Part, Shell, Word } from './shells.js';

/** What stands for a secret in a recorded exchange; a mask may have been masked again. */
const MASK = /«(?:[^«»]|«[^«»]*»)*»/g;

/** How a body ends that was too long to be kept. */
const SHORTENED = /… \(\d+ characters\)$/;

/** @param before the text in front of the mask: says which token it is where the mask does not */
function variable(mask: string, before: string): string {
  if (/^«\W*password/i.test(mask)) return 'IGNY8_PASSWORD';
  if (/^«\W*refresh/i.test(mask) || /refresh"?\s*[:=]\s*"?$/i.test(before)) return 'REFRESH_TOKEN';
  if (/^«\W*access/i.test(mask) || /(authorization: \w+ |access"?\s*[:=]\s*"?)$/i.test(before)) return 'ACCESS_TOKEN';
  return 'SECRET';
}

/** A text with a variable in place of each mask. */
function word(text: string): Word {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: mask, index } of text.matchAll(MASK)) {
    parts.push(text.slice(end, index), { variable: variable(mask, text.slice(0, index)) });
    end = index + mask.length;
  }
  return [...parts, text.slice(end)];
}

export interface Way {
  /** Ends in a slash. */
  readonly baseUrl: string;
  /** Names of the headers that IGNY8_HEADERS adds to every request to the origin of the base URL. */
  readonly gateway: readonly string[];
}

/**
 * @param shell how it is quoted, and how its variables are written
 */
export function curlLine({ request }: Exchange, { baseUrl, gateway }: Way, shell: Shell): string {
  const { method, path, headers, body } = request;
  const address = /^https?:/.test(path) ? path : baseUrl + path;
  const args: Word[] = [['-i'], ...(method === 'GET' ? [] : [['-X'], [method]]), word(address)];
  const sameOrigin =
    URL.canParse(address) && URL.canParse(baseUrl) && new URL(address).origin === new URL(baseUrl).origin;
  const added = sameOrigin ? gateway : [];
  // A gateway's header takes the place of one of the same name, as it did in the run.
  const replaced = new Set(added.map((name) => name.toLowerCase()));
  for (const [name, value] of headers) {
    if (!NOISE.test(name) && !replaced.has(name.toLowerCase())) args.push(['-H'], word(`${name}: ${value}`));
  }
  // Those of IGNY8_HEADERS have a variable for their value: `-H "CF-Access-Client-Id: $IGNY8_HEADER_1"`.
  for (const [i, name] of added.entries()) args.push(['-H'], [`${name}: `, { variable: `IGNY8_HEADER_${i + 1}` }]);
  if (body === undefined || body === '') return shell({ args, body: undefined });
  // What was shortened cannot be repeated from here.
  if (SHORTENED.test(body)) return shell({ args: [...args, ['--data-binary'], ['@body']], body: undefined });
  return shell({ args, body: word(body) });
}
