/** Looks for thousands of texts at once in bytes of any kind, in one pass: a hash that rolls along, and a look closer where it hits. */

/** Bytes of a text that are hashed, its last ones: tokens begin alike and end differently. */
const WINDOW = 16;
/** Shorter spellings are found everywhere by chance. */
const SHORTEST = 6;
const SHORTEST_BASE64 = 8;

const BASE = 0x01000193;
/** What the byte that leaves the window weighs. */
const OUTGOING = Array.from({ length: WINDOW }).reduce<number>((weight) => Math.imul(weight, BASE), 1);
const FILTER_BITS = 1 << 20;

function hashAt(bytes: Uint8Array, from: number): number {
  let hash = 0;
  for (let i = from; i < from + WINDOW; i += 1) hash = (Math.imul(hash, BASE) + (bytes[i] ?? 0)) | 0;
  return hash;
}

/** How files spell a text: as it is, URL-encoded, escaped for JSON (once, and again inside JSON) and HTML, and in base64. */
export function spellings(text: string): Set<string> {
  const json = JSON.stringify(text).slice(1, -1);
  const encoded = encodeURIComponent(text);
  const found = new Set([
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    encoded,
    encoded.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
    encoded.replaceAll('%20', '+'),
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ]);
  const { length } = Buffer.from(text);
  for (const shift of [0, 1, 2]) {
    const base64 = Buffer.from(' '.repeat(shift) + text).toString('base64');
    // Six bits a character: those that share bits with what stands in front or behind are left out.
    const inner = base64.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + length) * 8) / 6));
    if (inner.length >= SHORTEST_BASE64) found.add(inner).add(inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return found;
}

export class Searcher {
  private readonly byHash = new Map<number, Buffer[]>();
  private readonly filter = new Uint8Array(FILTER_BITS >> 3);
  private readonly short: Buffer[] = [];

  constructor(texts: readonly string[]) {
    for (const text of new Set(texts)) {
      if (text.length < SHORTEST) continue;
      for (const spelling of spellings(text)) this.add(Buffer.from(spelling));
    }
  }

  private add(bytes: Buffer): void {
    if (bytes.length < WINDOW) {
      this.short.push(bytes);
      return;
    }
    const hash = hashAt(bytes, bytes.length - WINDOW);
    const bit = hash & (FILTER_BITS - 1);
    this.filter[bit >> 3] = (this.filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    this.byHash.set(hash, [...(this.byHash.get(hash) ?? []), bytes]);
  }

  /** True if one of the texts is in the bytes, in any spelling. */
  finds(bytes: Buffer): boolean {
    if (this.short.some((text) => bytes.includes(text))) return true;
    if (this.byHash.size === 0 || bytes.length < WINDOW) return false;
    const { filter } = this;
    let hash = hashAt(bytes, 0);
    for (let end = WINDOW; ; end += 1) {
      const bit = hash & (FILTER_BITS - 1);
      if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0 && this.endsAt(bytes, end, hash)) return true;
      if (end >= bytes.length) return false;
      hash = (Math.imul(hash, BASE) + (bytes[end] ?? 0) - Math.imul(OUTGOING, bytes[end - WINDOW] ?? 0)) | 0;
    }
  }

  private endsAt(bytes: Buffer, end: number, hash: number): boolean {
    return (this.byHash.get(hash) ?? []).some(
      (text) => text.length <= end && bytes.subarray(end - text.length, end).equals(text),
    );
  }
}
