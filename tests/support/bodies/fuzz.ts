/**
 * Request bodies generated from the contract's own schemas (ROB-07): good ones, and such as are broken in exactly one place. What a
 * conforming server may accept is not generated as broken:
 *  - a missing or odd `first_name`, `last_name` or `site_id`: a server may do without them
 *  - fields that the contract does not know: may be ignored
 *  - passwords under eight characters: REG-11, a SHOULD
 *  - addresses that only a strict grammar refuses: servers differ, so an e-mail is broken by taking its `@` away
 *  - blanks, and texts beyond `maxLength`: the guide says nothing of either
 */
import fc from 'fast-check';
import { OPERATIONS, REQUEST_SCHEMAS } from '../../../spec/generated/operations.js';
import { Finding, type Check } from '../../../fixtures/check/check.js';
import { goodBody, type Endpoint } from './bad-input.js';
import { seenStatus } from '../../../fixtures/check/expect.js';
import type { Exchange } from '../../../fixtures/evidence/outcome.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { NoAnswer } from '../../../fixtures/http/transport.js';

const NOT_BROKEN = new Set(['first_name', 'last_name', 'site_id']);

type Body = Record<string, unknown>;

/** One place of a body, and what is done to it. */
interface Change {
  readonly words: string;
  readonly to: (good: Body) => Body;
}

interface Changes {
  readonly any: fc.Arbitrary<Change>;
  /** The few that are sent in any case, where there are runs enough for others too. */
  readonly named: readonly Change[];
}

/** Any JSON value that is no text, small ones first. */
const notText: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
);

function set(field: string, value: unknown): Change {
  return { words: `\`${field}\` ${JSON.stringify(value).slice(0, 100)}`, to: (good) => ({ ...good, [field]: value }) };
}

function broken(endpoint: Endpoint): Changes {
  const { properties } = REQUEST_SCHEMAS[endpoint];
  const fields = Object.keys(properties).filter((field) => !NOT_BROKEN.has(field));
  const named = fields.flatMap((field): Change[] => [
    { words: `\`${field}\` missing`, to: ({ [field]: _, ...rest }) => rest },
    set(field, ''),
    set(field, null),
    set(field, 12_345),
    { words: `\`${field}\` in a list`, to: (good) => ({ ...good, [field]: [good[field]] }) },
    { words: `\`${field}\` one level deeper`, to: (good) => ({ ...good, [field]: { [field]: good[field] } }) },
    ...(properties[field]?.format === 'email'
      ? [
          {
            words: `\`${field}\` without its @`,
            to: (good: Body) => ({ ...good, [field]: String(good[field]).replace('@', '') }),
          },
        ]
      : []),
  ]);
  const anyValue = fields.map((field) => notText.map((value) => set(field, value)));
  return { any: fc.oneof(...anyValue, fc.constantFrom(...named)), named };
}

/** Texts of all scripts: neither blank at an end nor beyond what a database stores. */
const anyText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => text.trim() === text && text !== '' && !/[\p{Cc}\p{Cs}]/u.test(text));

/** A server may take no longer passwords: the usual hash reads no more. */
const PASSWORD_BYTES = 72;

/** The field that a good body varies: the one with no other rule than that it is a string. */
const VARIED: Record<Endpoint, string> = {
  login: 'password',
  register: 'password',
  refresh: 'refresh',
  createKeyword: 'keyword',
};

function valid(check: Check, endpoint: Endpoint): Changes {
  const field = VARIED[endpoint];
  if (field !== 'password') return { any: anyText.map((text) => set(field, text)), named: [] };
  const room = PASSWORD_BYTES - Buffer.byteLength(check.newAccount().password);
  const short = anyText.filter((text) => Buffer.byteLength(text) <= room);
  const any = short.map((text) => {
    const to = (good: Body): Body => {
      // Behind the strong one: what else a server asks of a password it has already.
      const password = `${String(good['password'])}${text}`;
      check.sender.secret(password);
      return { ...good, password };
    };
    return { words: `a password that ends in ${JSON.stringify(text)}`, to };
  });
  return { any, named: [] };
}

/** Besides what the operation documents: too large, in the body or the headers. */
const ALWAYS_REFUSALS = [413, 431];

function documented(endpoint: Endpoint, status: number): boolean {
  const answers = OPERATIONS.find(({ operationId }) => operationId === endpoint)?.answers ?? {};
  return String(status) in answers || ALWAYS_REFUSALS.includes(status);
}

type FaultOf = (reply: Reply) => string | undefined;

const ofBroken: FaultOf = ({ status }) => (status < 400 ? 'accepted' : status >= 500 ? 'a 5xx' : undefined);

/**
 * Refusals of a good body that are not for its form: nobody has the login, an account may be there, and a token that is none is
 * REF-08's.
 */
const OTHER_REFUSALS: Record<Endpoint, (status: number) => boolean> = {
  login: (status) => status === 401,
  register: (status) => status === 409,
  refresh: (status) => status < 500,
  createKeyword: () => false,
};

const ofValid =
  (endpoint: Endpoint): FaultOf =>
  ({ status }) => {
    if (status >= 500) return 'a 5xx';
    return status < 300 || OTHER_REFUSALS[endpoint](status) ? undefined : 'refused because of its form';
  };

/** Requests that may be spent on making a failure smaller. */
const SHRINKING = 60;

async function request(check: Check, endpoint: Endpoint, body: Body): Promise<Reply> {
  const operation = OPERATIONS.find(({ operationId }) => operationId === endpoint);
  const headers: [string, string][] = [['content-type', 'application/json']];
  if (operation?.bearer === true) headers.push(['authorization', `Bearer ${(await check.session()).access}`]);
  const { refresh, ...others } = body;
  // What breaks it uses the documented name, the request that of this target.
  const spelled = endpoint === 'refresh' && refresh !== undefined;
  const sent = spelled ? { ...others, [check.target.dialect.refreshField]: refresh } : body;
  return check.raw({ method: 'POST', path: check.api.path(endpoint), headers, body: JSON.stringify(sent) });
}

interface Fault {
  /** The smallest body that shows it, in words. */
  readonly words: string;
  readonly what: string;
  readonly exchange: Exchange | undefined;
  /** Says how small, and how to see it again. */
  readonly again: string;
}

/** Sends `runs` bodies and shrinks the first that is at fault; undefined if none is. */
async function smallestFault(
  check: Check,
  endpoint: Endpoint,
  runs: number,
  { any, named }: Changes,
  faultOf: FaultOf,
): Promise<Fault | undefined> {
  if (runs < 1) return undefined;
  const { seed, runs: configured } = check.target.fuzz;
  let shrinking = 0;
  let smallest: Omit<Fault, 'again'> | undefined;
  let stopped: unknown;
  // What was sent and is not at fault is not sent again: the generator comes back to what is sent in any case.
  const good = new Set<string>();
  const property = fc.asyncProperty(any, async ({ words, to }) => {
    if (good.has(words)) return true;
    if (stopped !== undefined || (smallest !== undefined && (shrinking += 1) > SHRINKING)) return true;
    try {
      const reply = await request(check, endpoint, to(goodBody(check, endpoint)));
      const what = faultOf(reply);
      if (what !== undefined) smallest = { words, what: `${what}: ${seenStatus(reply)}`, exchange: reply.exchange };
      else good.add(words);
      return what === undefined;
    } catch (error) {
      if (error instanceof NoAnswer) {
        smallest = { words, what: error.message, exchange: check.sender.exchanges.at(-1) };
        return false;
      }
      // No judgement of the target: not to be shrunk, but to be told.
      stopped = error;
      return true;
    }
  });
  const examples = named.length * 2 <= runs ? named.map((change): [Change] => [change]) : [];
  const { numShrinks } = await fc.check(property, { seed, numRuns: runs, examples });
  if (smallest === undefined && stopped !== undefined) throw stopped as Error;
  const again =
    `The smallest such body after ${String(numShrinks)} steps; again: FUZZ_SEED=${String(seed)} ` +
    `FUZZ_RUNS=${String(configured)} npx playwright test --grep ROB-07`;
  return smallest === undefined ? undefined : { ...smallest, again };
}

function finding(endpoint: Endpoint, { words, what, exchange, again }: Fault, expected: string): Finding {
  return new Finding(`${endpoint} with ${words}: expected ${expected}, got ${what}. ${again}`, exchange);
}

/**
 * Bodies broken in one place: never accepted, never a 5xx or no answer at all. Any 4xx refuses a body; one that the contract does not
 * document for the operation is shrunk and reported with the verdict.
 */
export async function judgeBroken(check: Check, endpoint: Endpoint, runs: number): Promise<void> {
  const changes = broken(endpoint);
  const statuses = new Set<number>();
  const fault = await smallestFault(check, endpoint, runs, changes, (reply) => {
    statuses.add(reply.status);
    return ofBroken(reply);
  });
  if (fault !== undefined) throw finding(endpoint, fault, 'a refusal (4xx)');
  if ([...statuses].every((status) => documented(endpoint, status))) return;
  const odd = await smallestFault(check, endpoint, runs, changes, ({ status }) =>
    documented(endpoint, status) ? undefined : 'refused',
  );
  if (odd !== undefined)
    check.measure('a status that is not documented', `${endpoint} with ${odd.words}: ${odd.what}. ${odd.again}`);
}

/** Good bodies of odd letters: never refused for their form. */
export async function judgeValid(check: Check, endpoint: Endpoint, runs: number): Promise<void> {
  const fault = await smallestFault(check, endpoint, runs, valid(check, endpoint), ofValid(endpoint));
  if (fault !== undefined) throw finding(endpoint, fault, 'it to be accepted, because it is well formed');
}
