/** A command line in the words of a shell: the POSIX one's, and those of PowerShell, which Windows has. */
import { visible } from '../../fixtures/evidence/visible.js';

/** A piece of a word: a literal, or the environment variable whose value stands there. */
export type Part = string | { readonly variable: string };

/** One argument. */
export type Word = readonly Part[];

export interface CurlCommand {
  /** What follows the name of the program. */
  readonly args: readonly Word[];
  /** The request's body; undefined if there is none. */
  readonly body: Word | undefined;
}

/** Writes a request by cURL as one line. */
export type Shell = (command: CurlCommand) => string;

const shown = (literal: string): string => visible(literal, 4000);

const isVariable = (part: Part): part is Exclude<Part, string> => typeof part !== 'string';

/** A literal as one word of a POSIX shell. */
function posixLiteral(literal: string): string {
  const word = shown(literal);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** In double quotes where nothing in the literals has a meaning there, else spliced. */
function posixWord(word: Word): string {
  if (!word.some(isVariable)) return posixLiteral(word.join(''));
  if (word.every((part) => isVariable(part) || !/["$`\\!]/.test(part))) {
    return `"${word.map((part) => (isVariable(part) ? `$${part.variable}` : shown(part))).join('')}"`;
  }
  return word
    .map((part) => (isVariable(part) ? `"$${part.variable}"` : part === '' ? '' : posixLiteral(part)))
    .join('');
}

/** sh, bash, zsh and their kind. */
export const posix: Shell = ({ args, body }) =>
  ['curl', ...args.map(posixWord), ...(body === undefined ? [] : ['--data-binary', posixWord(body)])].join(' ');

/** PowerShell takes typographic quotes for the plain ones. */
const SINGLE_QUOTES = /['\u2018-\u201b]/g;
const NOT_IN_DOUBLE_QUOTES = /["\u201c-\u201e$`]/;

function quoted(literal: string): string {
  return `'${shown(literal).replace(SINGLE_QUOTES, '$&$&')}'`;
}

const inEnvironment = ({ variable }: Exclude<Part, string>): string => `env:${variable}`;

/** As an expression: `'{"refresh":"' + $env:REFRESH_TOKEN + '"}'`. */
function expression(word: Word): string {
  const pieces = word.filter((part) => part !== '');
  return pieces.map((part) => (isVariable(part) ? `$${inEnvironment(part)}` : quoted(part))).join(' + ');
}

/** An argument of a program. A sign is `bare` if it neither begins anything in PowerShell nor ends a word. */
function powerShellWord(word: Word): string {
  if (!word.some(isVariable)) {
    const literal = word.join('');
    return /^[\w%+=:./-]+$/.test(literal) ? literal : quoted(literal);
  }
  if (word.every((part) => isVariable(part) || !NOT_IN_DOUBLE_QUOTES.test(part))) {
    return `"${word.map((part) => (isVariable(part) ? `\${${inEnvironment(part)}}` : shown(part))).join('')}"`;
  }
  return `(${expression(word)})`;
}

/** Before 7.3 PowerShell hands double quotes on to a program as they are, and the program takes them for its own: they are escaped. */
function withEscapedQuotes(word: Word): Word {
  return word.map((part) =>
    isVariable(part) ? part : part.replace(/(\\*)"/g, (_, slashes: string) => `${slashes}${slashes}\\"`),
  );
}

/**
 * Windows PowerShell 5.1 and PowerShell 7. `curl.exe`, because `curl` is another command there. The body comes by standard input, because
 * 5.1 loses the double quotes of an argument and 7 does not; `-d` leaves out the line break that PowerShell puts after it.
 */
export const powerShell: Shell = ({ args, body }) => {
  const quotes = args.some((word) => word.some((part) => !isVariable(part) && part.includes('"')));
  const words = (quotes ? args.map(withEscapedQuotes) : args).map(powerShellWord);
  const given = body === undefined ? '' : expression(body);
  return [
    // Both versions then do what 5.1 does; it knows no such variable.
    quotes ? "$PSNativeCommandArgumentPassing = 'Legacy'; " : '',
    // 5.1 sends everything beyond ASCII as question marks.
    /[^\0-\x7f]/.test(given) ? '$OutputEncoding = [Text.UTF8Encoding]::new($false); ' : '',
    given === '' ? '' : `${given} | `,
    ['curl.exe', ...words, ...(given === '' ? [] : ['-d', "'@-'"])].join(' '),
  ].join('');
};

/** That of a machine. */
export function shellOf(platform: NodeJS.Platform): Shell {
  return platform === 'win32' ? powerShell : posix;
}
