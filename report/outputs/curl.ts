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

/** @param baseUrl ends in a slash */
export function curlLine({ request }: Exchange, baseUrl: string): string {
  const { method, path, headers, body } = request;
  const address = /^https?:/.test(path) ? path : baseUrl + path;
  const words = ['curl', '-i', ...(method === 'GET' ? [] : ['-X', shellWord(method)]), word(address)];
  for (const [name, value] of headers) {
    if (!NOISE.test(name)) words.push('-H', word(`${name}: ${value}`));
  }
  // What was shortened cannot be repeated from here.
  if (body !== undefined && body !== '') words.push('--data-binary', SHORTENED.test(body) ? '@body' : word(body));
  return words.join(' ');
}
