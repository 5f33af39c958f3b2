/**
 * Text that a target may have had a hand in, made harmless for the place where it is shown. Nothing is lost: what cannot be shown as it
 * is, is shown as its code.
 */

import { shortened, visible, visibleLines } from '../../fixtures/evidence/visible.js';

export { shortened, visible, visibleLines };

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
