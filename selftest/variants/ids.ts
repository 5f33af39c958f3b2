/** Ids of other makes: beyond 2^53, where JSON.parse rounds; UUIDs; zero and random ones. */
import { createHmac, randomInt } from 'node:crypto';
import type { Context, Parts } from '../../fixtures/reference/behaviour.js';
import { encodePart } from '../../fixtures/evidence/jwt.js';
import type { Target } from '../../fixtures/run/target.js';
import { KNOWN, KNOWN_KEY, type Json, type Operation } from '../defects/helpers.js';
import type { Variant } from './variant.js';

interface Ids {
  /** The id that the world sees for one of the store's. */
  readonly outside: (id: number) => string;
  /** One such id in a text, whole. */
  readonly pattern: RegExp;
  /** The store's id again; NaN for one that is none of ours. */
  readonly inside: (text: string) => number;
  /** Whether responses have it as a string, and tokens. */
  readonly quoted: { readonly responses: boolean; readonly tokens: boolean };
}

const OPERATIONS: readonly Operation[] = [
  'register',
  'login',
  'refresh',
  'listKeywords',
  'createKeyword',
  'getKeyword',
  'replaceKeyword',
  'updateKeyword',
  'deleteKeyword',
];

/** A server that shows other ids than the store has: changed on their way out, and back on their way in, as exact texts. */
function showing({ outside, pattern, inside, quoted }: Ids): Pick<Variant, 'replace' | 'options' | 'target'> {
  const quote = (id: number, strings: boolean): string => (strings ? `"${outside(id)}"` : outside(id));
  const whole = new RegExp(`^${pattern.source}$`);
  const back = (text: string): string => text.replace(new RegExp(pattern.source, 'g'), (id) => String(inside(id)));
  const asked = (context: Context): Context => {
    const body = context.rawBody.toString();
    const inBody = new RegExp(`"?(${pattern.source})"?`, 'g');
    return {
      ...context,
      query: new URLSearchParams([...context.query].map(([name, value]) => [name, back(value)])),
      parameters: Object.fromEntries(
        // An id that is none of ours is nobody's: the store's own are not to be guessed.
        Object.entries(context.parameters).map(([name, value]) => [name, whole.test(value) ? back(value) : 'none']),
      ),
      rawBody: pattern.test(body)
        ? Buffer.from(body.replace(inBody, (_, id: string) => String(inside(id))))
        : context.rawBody,
    };
  };
  return {
    options: KNOWN,
    target: (target: Target) => ({
      ...target,
      ...(target.foreignResource === undefined
        ? {}
        : { foreignResource: target.foreignResource.replace(/\d+/, (id) => outside(Number(id))) }),
      ...(target.deniedSite === undefined ? {} : { deniedSite: outside(Number(target.deniedSite)) }),
    }),
    replace: (parts: Parts) => ({
      ...Object.fromEntries(
        OPERATIONS.map((operation) => [operation, (context: Context) => parts[operation](asked(context))]),
      ),
      present: (answer, context) => {
        const shown = parts.present(answer, context);
        const body = shown.body
          .toString()
          .replace(
            /"(id|site_id|account_id)":(\d+)/g,
            (_, name: string, id: string) => `"${name}":${quote(Number(id), quoted.responses)}`,
          );
        return { ...shown, body };
      },
      sign: (given) => {
        const payload = JSON.stringify(given).replace(
          /"(user_id|account_id)":(\d+)/g,
          (_, name: string, id: string) => `"${name}":${quote(Number(id), quoted.tokens)}`,
        );
        const input = `${encodePart({ alg: 'HS256', typ: 'JWT' })}.${Buffer.from(payload).toString('base64url')}`;
        return `${input}.${createHmac('sha256', KNOWN_KEY).update(input).digest('base64url')}`;
      },
      verifySignature: (token, kind) => {
        const rounded = parts.verifySignature(token, kind);
        const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
        // Of a name that comes twice the last one counts, as for JSON.parse.
        const exact = [...text.matchAll(/"user_id":\s*"?([^",}\s]+)/g)].at(-1)?.[1] ?? '';
        const claims: Json = { ...rounded, user_id: whole.test(exact) ? inside(exact) : 'none' };
        return claims;
      },
    }),
  };
}

/** 2^53 + 1: the first whole number that a double cannot hold. Consecutive ids are the same double. */
const BEYOND = 9_007_199_254_740_993n;
const large = (responses: boolean, tokens: boolean): Ids => ({
  outside: (id) => String(BEYOND + BigInt(id)),
  pattern: /\b90071992547\d{5}\b/,
  inside: (text) => Number(BigInt(text) - BEYOND),
  quoted: { responses, tokens },
});

const UUIDS: Ids = {
  outside: (id) => `5b0c7f0e-1d2e-4a3b-8c4d-${id.toString(16).padStart(12, '0')}`,
  pattern: /5b0c7f0e-1d2e-4a3b-8c4d-[0-9a-f]{12}/,
  inside: (text) => parseInt(text.slice(-12), 16),
  quoted: { responses: true, tokens: true },
};

/** The store's ids from another beginning. */
const counting =
  (next: (last: number) => number): NonNullable<Variant['replace']> =>
  (_, store) => {
    const last = new Map<string, number>();
    Object.assign(store, {
      nextId: (kind: string) => {
        const id = next(last.get(kind) ?? -1);
        last.set(kind, id);
        return id;
      },
    });
    return {};
  };

export const IDS: readonly Variant[] = [
  {
    id: 'ids-beyond-2-53',
    words:
      'LOG-02: `id` is an integer; how large it may be, nobody says (RFC 8259 §6: implementations may round it, and a client must not).',
    ...showing(large(false, false)),
  },
  {
    id: 'ids-beyond-2-53-text-in-token',
    words: 'TOK-04: the payload’s `user_id` is the user’s `id`, as a number or as text.',
    ...showing(large(false, true)),
  },
  {
    id: 'ids-beyond-2-53-as-text',
    words: 'TOK-04: as a number or as text. LOG-02 and ENV-08 fail, for `id` is an integer; nothing else does.',
    ...showing(large(true, true)),
    fails: ['LOG-02', 'ENV-08'],
  },
  {
    id: 'ids-are-uuids',
    words: 'TOK-04: as text. LOG-02 and ENV-08 fail, for `id` is an integer; nothing else does.',
    ...showing(UUIDS),
    fails: ['LOG-02', 'ENV-08'],
  },
  {
    id: 'ids-at-random',
    words:
      'Ids are integers: not that one comes after the other, nor that a row of one kind has another id than one of another kind.',
    replace: counting(() => randomInt(1, 2 ** 31)),
  },
  {
    id: 'ids-from-a-million',
    words: 'Ids are integers.',
    replace: counting((last) => (last < 0 ? 1_000_000 : last + 1000)),
  },
];
