/** Text that a target may have had a hand in, made harmless for the place where it is shown. HTML is escaped by the template engine. */

/** Longest text from a target that is shown in one place. */
const LONGEST = 600;

/** Controls, escapes and marks that reorder text, made visible; too much of it cut. For consoles, and for everything below. */
export function visible(text: string, longest = LONGEST): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) =>
    character === '\n' ? ' ' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** For a line of Markdown: nothing in it is a link, a picture, a table or HTML. */
export function markdown(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]()#+!|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('::', ':\u200b:');
}

/** For the text of a workflow command (`::error::…`). */
export function workflowText(text: string): string {
  return visible(text).replaceAll('%', '%25').replaceAll('::', ':\u200b:');
}

/** For a property of a workflow command (`::error title=…::`). */
export function workflowProperty(text: string): string {
  return workflowText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** For one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${visible(text, 4000).replaceAll("'", String.raw`'\''`)}'`;
}
