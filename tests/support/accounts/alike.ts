/** LOG-06: two refused logins compared, less what differs between two that are the same. */
import type { Check } from '../../../fixtures/check/check.js';
import { inside } from '../../../fixtures/evidence/json.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { Victims } from './accounts.js';

/** Ids, times and counters may differ between any two responses, and with them the length of the body. */
const MAY_DIFFER =
  /^(date|age|expires|etag|content-length|server-timing|x-runtime|x-response-time|cf-ray|alt-svc|connection|keep-alive|retry-after|.*request-?id|.*correlation-id|.*trace.*|x-throttle-.*|x-?ratelimit.*)$/;
const MAY_DIFFER_IN_BODY = /(^|\.)(request_id|timestamp|time)$/;

/** Places of a body that are compared; no error of a client's has as many. */
const MOST_PLACES = 5000;

/** What a response says, by its place: header `x-account`, field `error`. Bounded in depth, by `parseJson`, and in number. */
function placesOf(reply: Reply, email: string): Map<string, string> {
  const places = new Map<string, string>();
  for (const [header, value] of reply.wire.headers) {
    const name = header.toLowerCase();
    if (MAY_DIFFER.test(name)) continue;
    // A cookie's value may be an id; that there is one, and its name, tells.
    const [cookie = ''] = value.split('=');
    const place = name === 'set-cookie' ? `cookie \`${cookie}\`` : `header \`${name}\``;
    places.set(place, name === 'set-cookie' ? '' : value.replaceAll(email, '…'));
  }
  const level: (readonly [string, unknown])[] = [['', reply.json ?? reply.text]];
  for (let next = level.pop(); next !== undefined && places.size < MOST_PLACES; next = level.pop()) {
    const [place, value] = next;
    if (MAY_DIFFER_IN_BODY.test(place)) continue;
    if (typeof value === 'object' && value !== null) {
      for (const [i, [name, inner]] of [...inside(value)].entries())
        level.push([`${place}${place === '' ? '' : '.'}${name === '' ? String(i) : name}`, inner]);
    }
    const text = typeof value === 'object' && value !== null ? '' : String(value).replaceAll(email, '…');
    places.set(place === '' ? 'the body' : `field \`${place}\``, text);
  }
  return places;
}

function differing(one: Places, other: Places): Set<string> {
  const all = new Set([...one.keys(), ...other.keys()]);
  return new Set([...all].filter((place) => one.get(place) !== other.get(place)));
}

/** Wrong logins of a known and of an unknown e-mail, two of each: the nth of one is compared with the nth of the other. */
export interface Alike {
  readonly known: readonly [Reply, Reply];
  readonly unknown: readonly [Reply, Reply];
  /** Places by which the two can be told apart; a value that changes by itself is none, but that it is there is. */
  readonly tellTales: readonly string[];
}

type Places = ReadonlyMap<string, string>;

/** A place by which two responses can be told apart, and which of the two has it where one lacks it. */
interface Tell {
  readonly place: string;
  readonly only?: 'known' | 'unknown';
}

const same = (one: Tell) => (other: Tell) => one.place === other.place && one.only === other.only;

/** What tells a known from an unknown e-mail, but for values that change by themselves; that a place is there is no value. */
function tellsOf(known: Places, unknown: Places, restless: ReadonlySet<string>): Tell[] {
  return [...differing(known, unknown)].flatMap((place): Tell[] => {
    if (known.has(place) && unknown.has(place)) return restless.has(place) ? [] : [{ place }];
    return [{ place, only: known.has(place) ? 'known' : 'unknown' }];
  });
}

/**
 * Wrong logins of one account and of nobody, in turn; a third of each where the run may try an account of its own as often.
 * @param swapped the third ones in the other order: what a gateway adds to one response in three then meets the other
 */
async function refusals(check: Check, swapped: boolean): Promise<Omit<Alike, 'tellTales'> & { tells: Tell[] }> {
  const victims = new Victims(check);
  const account = await victims.next();
  const { email } = account;
  const stranger = check.newAccount().email;
  const ask = (who: string): Promise<Reply> => victims.refusal({ email: who, password: check.newAccount().password });
  const [known1, unknown1] = [await ask(email), await ask(stranger)];
  const [unknown2, known2] = [await ask(stranger), await ask(email)];
  if (!check.accounts.canRegister) await victims.control(account);
  const [a1, a2] = [placesOf(known1, email), placesOf(known2, email)];
  const [b1, b2] = [placesOf(unknown1, stranger), placesOf(unknown2, stranger)];
  const restless = new Set([...differing(a1, a2), ...differing(b1, b2)]);
  const again = tellsOf(a2, b2, restless);
  // Twice: what a gateway adds now and then is no tell-tale.
  const tells = tellsOf(a1, b1, restless).filter((one) => again.some(same(one)));
  const first = { known: [known1, known2], unknown: [unknown1, unknown2], tells } as const;
  if (!check.accounts.canRegister) return { ...first, tells };
  const thirds = new Map<string, Reply>();
  for (const who of swapped ? [stranger, email] : [email, stranger]) thirds.set(who, await third(check, who));
  const [known3 = known1, unknown3 = unknown1] = [thirds.get(email), thirds.get(stranger)];
  // A lock is THR-03's.
  if (known3.status !== known1.status || unknown3.status !== unknown1.status) return { ...first, tells };
  const last = tellsOf(placesOf(known3, email), placesOf(unknown3, stranger), restless);
  const steady = tells.filter((one) => last.some(same(one)));
  if (steady.length > 0) return { ...first, tells: steady };
  return { known: [known3, known2], unknown: [unknown3, unknown2], tells: last };
}

function third(check: Check, email: string): Promise<Reply> {
  const request = check.api.request('login', { email, password: check.newAccount().password });
  return check.raw({ ...request, mayLock: true });
}

/** Refusals of a known and of an unknown e-mail. A difference counts if it shows with two other pairs as well. */
export async function compareRefusals(check: Check): Promise<Alike> {
  const { tells, ...first } = await refusals(check, false);
  let steady = tells;
  for (const swapped of check.accounts.canRegister ? [true, false] : []) {
    if (steady.length === 0) break;
    const again = (await refusals(check, swapped)).tells;
    steady = steady.filter((one) => again.some(same(one)));
  }
  return { ...first, tellTales: steady.map(({ place }) => place) };
}
