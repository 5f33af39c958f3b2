/** An exchange as a line that repeats it by hand: what was masked becomes a shell variable to fill in. */
import type { Exchange } from '../../fixtures/evidence/outcome.js';
import { shellWord, visible } from './escape.js';
import { NOISE } from './headers.js';

/** What stands for a secret in a recorded exchange; a mask may have been masked again. */
const MASK = /«(?:[^«»]|«[^«»]*»)*»/g;

/** How a body ends that was too long to be kept. */
const SHORTENED = /… \(\d+ characters\)$/;

/** @param before the text in front of the mask: says which token it is where the mask does not */
function variable(mask: string, before: string): string {
  if (/^«\W*password/i.test(mask)) return '$IGNY8_PASSWORD';
  if (/^«\W*refresh/i.test(mask) || /refresh"?\s*[:=]\s*"?$/i.test(before)) return '$REFRESH_TOKEN';
  if (/^«\W*access/i.test(mask) || /(authorization: \w+ |access"?\s*[:=]\s*"?)$/i.test(before)) return '$ACCESS_TOKEN';
  return '$SECRET';
}

function word(text: string): string {
  if (!text.includes('«')) return shellWord(text);
  const filled = text.replace(MASK, (mask, at: number) => `\u0000${variable(mask, text.slice(0, at))}\u0000`);
  const parts = filled.split('\u0000');
  // Literals are the even parts, variables the odd ones. In double quotes where no literal minds, else spliced.
  if (parts.every((part, i) => i % 2 === 1 || !/["$`\\!]/.test(part))) {
    return `"${parts.map((part, i) => (i % 2 === 1 ? part : visible(part, 4000))).join('')}"`;
  }
  return parts.map((part, i) => (i % 2 === 1 ? `"${part}"` : part === '' ? '' : shellWord(part))).join('');
}

export interface Way {
  /** Ends in a slash. */
  readonly baseUrl: string;
  /** Names of the headers that IGNY8_HEADERS adds to every request to the origin of the base URL. */
  readonly gateway: readonly string[];
}

/** A header of IGNY8_HEADERS, by a variable for its value: `-H "CF-Access-Client-Id: $IGNY8_HEADER_1"`. */
function gatewayHeader(name: string, i: number): string {
  const value = `$IGNY8_HEADER_${String(i + 1)}`;
  return /^[\w-]+$/.test(name) ? `"${name}: ${value}"` : `${shellWord(`${name}: `)}"${value}"`;
}

export function curlLine({ request }: Exchange, { baseUrl, gateway }: Way): string {
  const { method, path, headers, body } = request;
  const address = /^https?:/.test(path) ? path : baseUrl + path;
  const words = ['curl', '-i', ...(method === 'GET' ? [] : ['-X', shellWord(method)]), word(address)];
  const sameOrigin =
    URL.canParse(address) && URL.canParse(baseUrl) && new URL(address).origin === new URL(baseUrl).origin;
  const added = sameOrigin ? gateway : [];
  // A gateway's header takes the place of one of the same name, as it did in the run.
  const replaced = new Set(added.map((name) => name.toLowerCase()));
  for (const [name, value] of headers) {
    if (!NOISE.test(name) && !replaced.has(name.toLowerCase())) words.push('-H', word(`${name}: ${value}`));
  }
  for (const [i, name] of added.entries()) words.push('-H', gatewayHeader(name, i));
  // What was shortened cannot be repeated from here.
  if (body !== undefined && body !== '') words.push('--data-binary', SHORTENED.test(body) ? '@body' : word(body));
  return words.join(' ');
}
