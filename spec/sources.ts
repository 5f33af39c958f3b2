/** Where the sources of a clause can be read. */
import { SOURCES } from './generated/clauses.js';

export interface SourceLink {
  /** As the clause has it, e.g. `RFC 8725 §3.1`. */
  readonly text: string;
  /** Of a source that the catalogue lists. */
  readonly title?: string;
  /** RFCs have one by number and section; the guide has none, because it is not public. */
  readonly url?: string;
}

/** `guide, RFC 8725 §3.1` → its parts, each with the address that it has. */
export function sourceLinks(source: string): SourceLink[] {
  return source.split(', ').map((text) => {
    const [, rfc, section] = /^RFC (\d+)(?: §([\d.]+))?$/.exec(text) ?? [];
    if (rfc === undefined) return { text, ...SOURCES[text] };
    const anchor = section === undefined ? '' : `#section-${section}`;
    return { text, url: `https://www.rfc-editor.org/rfc/rfc${rfc}${anchor}` };
  });
}
