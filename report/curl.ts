/** An exchange as a line that repeats it by hand: what was masked becomes a shell variable to fill in. */
import type { Exchange } from '../fixtures/outcome.js';
import { shellWord } from './escape.js';

/** Sent by every client, and of no use to a reader. */
const NOISE = /^(user-agent|accept-encoding|connection|host|content-length)$/i;

function variables(word: string): string {
  // A mask ends the quoted word, stands unquoted in double quotes, and begins it again.
  const names: readonly (readonly [RegExp, string])[] = [
    [/«token [0-9a-f]*»|«access[^»]*»/g, '$ACCESS_TOKEN'],
    [/«refresh[^»]*»/g, '$REFRESH_TOKEN'],
    [/«password[^»]*»/g, '$IGNY8_PASSWORD'],
    [/«[^»]*»/g, '$SECRET'],
  ];
  return names
    .reduce((text, [mask, name]) => text.replace(mask, `'"${name}"'`), word)
    .replaceAll(`''"`, '"')
    .replaceAll(`"''`, '"');
}

/** @param baseUrl ends in a slash; the line itself says `$BASE_URL` */
export function curlLine({ request }: Exchange): string {
  const { method, path, headers, body } = request;
  const absolute = /^https?:/.test(path);
  const address = absolute ? variables(shellWord(path)) : `"$BASE_URL"${variables(shellWord(path))}`;
  const words = ['curl', '-i', ...(method === 'GET' ? [] : ['-X', method]), address];
  for (const [name, value] of headers) {
    if (!NOISE.test(name)) words.push('-H', variables(shellWord(`${name}: ${value}`)));
  }
  if (body !== undefined && body !== '') words.push('--data-binary', variables(shellWord(body)));
  return words.join(' ');
}
