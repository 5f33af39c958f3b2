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

function differing(one: Map<string, string>, other: Map<string, string>, values = true): Set<string> {
  const all = new Set([...one.keys(), ...other.keys()]);
  return new Set(
    [...all].filter((place) => one.has(place) !== other.has(place) || (values && one.get(place) !== other.get(place))),
  );
}

/** Wrong logins of a known and of an unknown e-mail, two of each: the nth of one is compared with the nth of the other. */
export interface Alike {
  readonly known: readonly [Reply, Reply];
  readonly unknown: readonly [Reply, Reply];
  /** Places by which the two can be told apart; a value that changes by itself is none, but that it is there is. */
  readonly tellTales: readonly string[];
}

export async function compareRefusals(check: Check): Promise<Alike> {
  const victims = new Victims(check);
  const account = await victims.next();
  const { email } = account;
  const stranger = check.newAccount().email;
  const ask = (who: string): Promise<Reply> => victims.refusal({ email: who, password: check.newAccount().password });
  const [known1, unknown1] = [await ask(email), await ask(stranger)];
  const [unknown2, known2] = [await ask(stranger), await ask(email)];
  if (!check.accounts.canRegister) await victims.control(account);
  const places = (reply: Reply, who: string): Map<string, string> => placesOf(reply, who);
  const [a1, a2] = [places(known1, email), places(known2, email)];
  const [b1, b2] = [places(unknown1, stranger), places(unknown2, stranger)];
  const restless = new Set([...differing(a1, a2), ...differing(b1, b2)]);
  const tells = (one: Map<string, string>, other: Map<string, string>): string[] => {
    const present = differing(one, other, false);
    return [...differing(one, other)].filter((place) => !restless.has(place) || present.has(place));
  };
  // Twice: what a gateway adds now and then is no tell-tale.
  const again = new Set(tells(a2, b2));
  return {
    known: [known1, known2],
    unknown: [unknown1, unknown2],
    tellTales: tells(a1, b1).filter((place) => again.has(place)),
  };
}
