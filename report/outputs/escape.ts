/**
 * Text that a target may have had a hand in, made harmless for the place where it is shown. Nothing is lost: what cannot be shown as it
 * is, is shown as its code.
 */

/** Characters of a target's text that are shown in one place. */
const LONGEST = 600;

/** Controls, format characters (those that reorder, join or hide text), separators, and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function code(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? String.raw`\u{${hex}}` : String.raw`\u${hex.padStart(4, '0')}`;
}

/** At most `longest` characters, and no half of a surrogate pair at the end. */
export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** One line in which everything can be seen. For consoles, and for everything below. */
export function visible(text: string, longest = LONGEST): string {
  return shortened(text, longest).replace(INVISIBLE, (character) => (character === '\n' ? ' ' : code(character)));
}

/** The same with its line breaks and tabs: for bodies, and for messages of several lines. */
export function visibleLines(text: string, longest = 4000): string {
  return shortened(text, longest).replace(INVISIBLE, (character) =>
    /[\n\t]/.test(character) ? character : code(character),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For HTML, as text and within the quotes of an attribute. */
export function html(text: string): string {
  return visibleLines(text, 20_000).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** `::` would begin a workflow command wherever a line of output begins with it. */
function noCommand(text: string): string {
  return text.replaceAll('::', ':\u200b:');
}

/** For one line of Markdown: nothing in it is a link, a picture, a mention, a table or HTML. */
export function markdown(text: string): string {
  return noCommand(
    visible(text)
      .replace(/[\\`*_{}[\]()#+!|~$-]/g, String.raw`\$&`)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // Neither a mention nor an address that the page would make a link of.
      .replaceAll('@', '&#64;')
      .replaceAll('://', ':&#47;&#47;'),
  );
}

/** The same, where backticks mark what is code. */
export function markdownCode(text: string): string {
  const parts = visible(text).split('`');
  return parts
    .map((part, i) => {
      // Odd parts stand between two backticks, the last one of an odd number of them left out. In a table a bar ends the cell in code too.
      const inside = i % 2 === 1 && i < parts.length - 1 && part.trim() !== '';
      if (inside) return `\`${noCommand(part.trim()).replaceAll('|', String.raw`\|`)}\``;
      return markdown(i % 2 === 1 && i === parts.length - 1 ? `\`${part}` : part);
    })
    .join('');
}

/** For the text of a workflow command (`::error::…`). */
export function workflowText(text: string): string {
  return noCommand(visible(text, 1500)).replaceAll('%', '%25');
}

/** For a property of a workflow command (`::error title=…::`). */
export function workflowProperty(text: string): string {
  return workflowText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** For one word of a POSIX shell. */
export function shellWord(text: string): string {
  const word = visible(text, 4000);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
