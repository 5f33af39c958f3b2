/**
 * What a clumsy client or an attacker sends, a row each. Every row goes to refresh and to the creation of keywords; login and register are
 * dear (their rate limit is the tightest), so a row names at most one of them: the parser in front of both is the same.
 */
import { BoundedTransport } from '../../../fixtures/http/raw-transport.js';
import { keepingAgent } from '../../../fixtures/http/way.js';
import { wayTo } from '../../../fixtures/run/target.js';
import { Finding, Unverified, type Check } from '../../../fixtures/check/check.js';
import { expect, seenStatus } from '../../../fixtures/check/expect.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { aKeyword } from '../access/resources.js';
import { dependsOnAlike } from '../journeys/alike-workers.js';
import type { Sendable } from '../../../fixtures/check/sender.js';
import { encodePart } from '../../../fixtures/evidence/jwt.js';
import { BOUNDS, NoAnswer } from '../../../fixtures/http/transport.js';

export type Endpoint = 'login' | 'register' | 'refresh' | 'createKeyword';

export interface BadInput {
  readonly name: string;
  /** Where it is sent; default: refresh and createKeyword. */
  readonly to?: readonly Endpoint[];
  /** The dear endpoint that gets it too. */
  readonly also?: 'login' | 'register';
  /** Default `application/json`; null: no Content-Type at all. */
  readonly contentType?: string | null;
  /** The body, made of one that would be good. */
  body(good: Record<string, unknown>, endpoint: Endpoint): string | Buffer;
}

/**
 * The field of each endpoint's body that a row about one field spoils. Of refresh and the creation of keywords it is the first of a good
 * body, whatever this target calls it.
 */
function fieldOf(good: Record<string, unknown>, endpoint: Endpoint): string {
  if (endpoint === 'login') return 'email';
  if (endpoint === 'register') return 'username';
  const strings = Object.entries(good).filter(([, value]) => typeof value === 'string');
  return strings[0]?.[0] ?? Object.keys(good)[0] ?? 'keyword';
}

const json = (value: unknown): string => JSON.stringify(value);
const spoil =
  (value: unknown, field?: string): BadInput['body'] =>
  (good, endpoint) =>
    json({ ...good, [field ?? fieldOf(good, endpoint)]: value });

export const MALFORMED: readonly BadInput[] = [
  { name: 'JSON that breaks off', also: 'login', body: (good) => json(good).slice(0, -1) },
  { name: 'an empty body', also: 'register', body: () => '' },
  { name: 'a list', body: (good) => json([good]) },
  { name: 'a text', body: () => '"text"' },
  { name: 'a number', body: () => '1' },
  { name: 'null', body: () => 'null' },
  { name: 'something after the JSON', also: 'login', body: (good) => `${json(good)} x` },
  {
    name: 'a raw control character in a string',
    // Escaped, it would be JSON (RFC 8259 §7).
    body: (good, endpoint) => json({ ...good, [fieldOf(good, endpoint)]: 'text' }).replace('"text"', '"te\u0001xt"'),
  },
  { name: 'a trailing comma', to: ['createKeyword'], body: (good) => json(good).replace(/\}$/, ',}') },
  { name: 'a comment', to: ['createKeyword'], body: (good) => `/* x */ ${json(good)}` },
  { name: 'single quotes', to: ['createKeyword'], body: (good) => json(good).replaceAll('"', "'") },
  { name: 'names without quotes', to: ['createKeyword'], body: (good) => json(good).replace(/"(\w+)":/g, '$1:') },
  // Python's parser takes both by default (RFC 8259 §6 has neither).
  { name: 'NaN as a value', to: ['createKeyword'], body: (good) => json(good).replace(/\}$/, ',"x":NaN}') },
  { name: 'Infinity as a value', to: ['createKeyword'], body: (good) => json(good).replace(/\}$/, ',"x":-Infinity}') },
];

/** Values of a wrong type for a field, made of a right one: some servers take a number, or an array of one, as a string. */
const WRONG_VALUES: readonly { readonly name: string; readonly of: (right: unknown) => unknown }[] = [
  { name: 'a number', of: () => 1_234_567_890_123 },
  { name: 'a boolean', of: () => true },
  { name: 'null', of: () => null },
  { name: 'an array of one string', of: (right) => [right] },
  { name: 'an object', of: () => ({ $ne: '' }) },
];

/** Fields that a server may do without: null may stand for that. Each row costs a registration, so a scalar is tried for the first one. */
const OPTIONAL = ['first_name', 'last_name'];

/** Wrong types at register and login, field by field: each costs one of them. */
export const COSTLY_TYPES: readonly BadInput[] = (
  [
    ['register', ['password', 'username', 'email', ...OPTIONAL]],
    ['login', ['password', 'email']],
  ] as const
).flatMap(([also, fields]) =>
  fields.flatMap((field) =>
    WRONG_VALUES.filter(({ name }) =>
      /array|object/.test(name)
        ? also === 'register'
        : !OPTIONAL.includes(field) || (field === 'first_name' && name === 'a number'),
    ).map(({ name, of }) => ({
      name: `\`${field}\` ${name}`,
      to: [],
      also,
      body: (good: Record<string, unknown>) => json({ ...good, [field]: of(good[field]) }),
    })),
  ),
);

/** Of the creation of keywords: `refresh` of a wrong type is REF-10's. */
export const WRONG_TYPES: readonly BadInput[] = [
  { name: 'a number', to: ['createKeyword'], body: spoil(12_345) },
  { name: 'a boolean', to: ['createKeyword'], body: spoil(true) },
  { name: 'null', to: ['createKeyword'], body: spoil(null) },
  { name: 'a list', to: ['createKeyword'], body: spoil(['text']) },
  { name: 'an object', to: ['createKeyword'], body: spoil({ text: 'text' }) },
];

const BOUNDARY = 'conformance';
/** One field of a multipart form (RFC 7578 §4.2). */
const asPart = ([name, value]: [string, unknown]): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${String(value)}\r\n`;

export const CONTENT_TYPES: readonly BadInput[] = [
  {
    name: 'a form',
    also: 'login',
    contentType: 'application/x-www-form-urlencoded',
    body: (good) => new URLSearchParams(Object.entries(good).map(([name, value]) => [name, String(value)])).toString(),
  },
  {
    name: 'a multipart form',
    also: 'login',
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    body: (good) => `${Object.entries(good).map(asPart).join('')}--${BOUNDARY}--\r\n`,
  },
  { name: 'JSON as text/plain', contentType: 'text/plain', body: json },
  { name: 'XML', contentType: 'application/xml', body: () => '<?xml version="1.0"?><refresh>text</refresh>' },
  { name: 'JSON without a Content-Type', contentType: null, body: json },
];

const MEGABYTE = Buffer.alloc(1_000_000, 'a');
/** The field of 1 MB is set in as bytes: making them from a string of that length takes longer than sending them. */
const swell =
  (field?: string): BadInput['body'] =>
  (good, endpoint) => {
    const [before = '', behind = ''] = json({ ...good, [field ?? fieldOf(good, endpoint)]: '<long>' }).split('<long>');
    return Buffer.concat([Buffer.from(before), MEGABYTE, Buffer.from(behind)]);
  };

export const VERY_LONG: readonly BadInput[] = [
  { name: 'a value of 1 MB', also: 'login', body: swell() },
  { name: '`username` of 1 MB', to: [], also: 'register', body: swell('username') },
  // A database that cuts what does not fit takes it, where nothing else looks at its length.
  { name: '`last_name` of 1 MB', to: [], also: 'register', body: swell('last_name') },
  // A slow hash over all of it keeps a server busy for as long as the sender likes.
  { name: '`password` of 1 MB', to: [], also: 'register', body: swell('password') },
];

/** Longer than the column of Django's user model, and as long as no limit of bodies refuses it: a server may take it. */
export const LONG_NAMES: readonly BadInput[] = OPTIONAL.map((field) => ({
  name: `\`${field}\` of 200 characters`,
  to: [],
  also: 'register',
  body: (good) => json({ ...good, [field]: 'a'.repeat(200) }),
}));

const INVALID_UTF8 = Buffer.from([0xc3, 0x28, 0xff]);

export const ODD_CHARACTERS: readonly BadInput[] = [
  {
    name: 'NUL in `username`',
    to: [],
    also: 'register',
    body: (good) => json({ ...good, username: `${String(good['username'])}\u0000` }),
  },
  {
    name: 'NUL in `email`',
    to: [],
    also: 'register',
    body: (good) => json({ ...good, email: String(good['email']).replace('@', '\u0000@') }),
  },
  {
    name: 'NUL in `email`',
    to: [],
    also: 'login',
    body: (good) => json({ ...good, email: `\u0000${String(good['email'])}` }),
  },
  ...[
    { name: 'half a surrogate pair in `last_name`', field: 'last_name', escape: String.raw`\ud800` },
    { name: 'NUL in `first_name`', field: 'first_name', escape: String.raw`\u0000` },
  ].map(({ name, field, escape }): BadInput => {
    const body: BadInput['body'] = (good) => json({ ...good, [field]: '<odd>' }).replace('<odd>', `te${escape}xt`);
    return { name, to: [], also: 'register', body };
  }),
  {
    name: 'half a surrogate pair',
    // As an escape: as a character it could not be written in UTF-8.
    body: (good, endpoint) =>
      json({ ...good, [fieldOf(good, endpoint)]: 'text' }).replace('"text"', String.raw`"text\ud800"`),
  },
  {
    name: 'invalid UTF-8',
    body: (good, endpoint) => {
      const [before = '', after = ''] = json({ ...good, [fieldOf(good, endpoint)]: '…' }).split('…');
      return Buffer.concat([Buffer.from(before), INVALID_UTF8, Buffer.from(after)]);
    },
  },
  { name: 'an unknown charset', contentType: 'application/json; charset=no-such-charset', body: json },
  // Codecs that Python has and that are no charsets of text, and such as make another text of the same bytes.
  ...['rot13', 'utf-16'].map((charset) => ({
    name: `the charset ${charset}`,
    to: ['createKeyword'] as const,
    contentType: `application/json; charset=${charset}`,
    body: json,
  })),
];

const DEPTH = 10_000;
const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

/** What `__proto__` and `constructor` would leave behind, in this response or in a later one. */
export const PLANTED = { id: 987_654_321, member: 'conformance_planted' } as const;

/** A good body, with the fields before it that a careless merge takes for its own machinery. */
export function poisoned(good: Record<string, unknown>): string {
  const planted = json({ id: PLANTED.id, [PLANTED.member]: true, prototype: { [PLANTED.member]: true } });
  return json(good).replace(/^\{/, `{"__proto__":${planted},"constructor":${planted},`);
}

export const DEEP: readonly BadInput[] = [
  {
    name: '10,000 lists in a field',
    body: (good, endpoint) =>
      json({ ...good, [fieldOf(good, endpoint)]: 0 }).replace(/:0/, `:${nested(DEPTH, '[', ']')}`),
  },
  { name: '10,000 objects as the body', body: () => `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}` },
];

export interface DeepToken {
  readonly name: string;
  readonly token: string;
  /** It fits into a header line of 7 KB: stock servers refuse 8. */
  readonly asBearer: boolean;
}

/** Tokens that are deep: some fit into any server's headers, some are as deep as a body may be. */
export function deepTokens(): DeepToken[] {
  const header = encodePart({ alg: 'HS256', typ: 'JWT' });
  const signature = Buffer.alloc(32).toString('base64url');
  return [1500, DEPTH].flatMap((depth) => {
    const deep = encodePart(nested(depth, '[', ']'));
    const levels = `${depth.toLocaleString('en')} levels deep`;
    const asBearer = deep.length < 6000;
    return [
      { name: `a header ${levels}`, token: `${deep}.${encodePart({})}.${signature}`, asBearer },
      { name: `a payload ${levels}`, token: `${header}.${deep}.${signature}`, asBearer },
    ];
  });
}

/**
 * A request that is good but for what a row does to its body.
 * @param live a refresh token that is good: without one, a refresh is refused whatever else is wrong with it
 */
export async function badRequest(check: Check, row: BadInput, endpoint: Endpoint, live?: string): Promise<Sendable> {
  const good = endpoint === 'refresh' && live !== undefined ? refreshBody(check, live) : goodBody(check, endpoint);
  // Read in spite of its form, somebody unknown would be refused as well; a known one with the right password logs in.
  if (endpoint === 'login' && MALFORMED.includes(row)) {
    const { email, password } = await check.ownAccount();
    Object.assign(good, { email, password });
  }
  const contentType = row.contentType === undefined ? 'application/json' : row.contentType;
  const headers: [string, string][] = contentType === null ? [] : [['content-type', contentType]];
  if (endpoint === 'createKeyword') headers.push(['authorization', `Bearer ${(await check.session()).access}`]);
  return { method: 'POST', path: check.api.path(endpoint), headers, body: row.body(good, endpoint) };
}

function refreshBody({ target }: Check, token: string): Record<string, unknown> {
  return { [target.dialect.refreshField]: token };
}

/** A body that has nothing wrong but, at login and refresh, that nobody knows it. */
export function goodBody(check: Check, endpoint: Endpoint): Record<string, unknown> {
  const account = check.newAccount();
  if (endpoint === 'login') return { email: account.email, password: account.password };
  if (endpoint === 'register') return check.api.registration(account);
  if (endpoint === 'refresh') return refreshBody(check, 'not-a-token');
  return aKeyword(check).body;
}

/** A boolean as the site of a keyword: some languages count it among the integers. Asked where the target reads the field at all. */
export function booleanSites(check: Check): { readonly name: string; readonly judge: () => Promise<void> }[] {
  const withSite = async (site: unknown): Promise<Reply> =>
    check.api.createKeyword({ ...aKeyword(check).body, site_id: site }, await check.session());
  let reads: Promise<Reply> | undefined;
  return [true, false].map((site) => ({
    name: `createKeyword with \`site_id\` ${String(site)}`,
    judge: async () => {
      const control = await (reads ??= withSite('no-number'));
      if (control.status < 400) throw new Unverified('A `site_id` that is no number is ignored here.');
      expect(await withSite(site)).toBeRefused();
    },
  }));
}

/** Where a row is sent in this run. */
export function endpointsOf(check: Check, row: BadInput): Endpoint[] {
  const endpoints: Endpoint[] = [
    ...(row.to ?? (['refresh', 'createKeyword'] as const)),
    ...(row.also === undefined ? [] : [row.also]),
  ];
  return endpoints.filter(
    (endpoint) =>
      (endpoint !== 'register' || check.accounts.canRegister) && (endpoint !== 'createKeyword' || check.target.write),
  );
}

/**
 * Sends bad input over a connection of its own, and then a good request over the same one: what the server left unread of a body that it
 * refused would be taken for the next request, and its response for somebody else's. A server may close the connection instead
 * (RFC 9112 §9.6), with or without saying so.
 * @param access opens the protected route
 * @throws Finding if the good request is answered wrongly, or not at all
 */
export async function overOneConnection(check: Check, bad: Sendable, access: string): Promise<Reply> {
  const way = wayTo(check.target);
  const agent = keepingAgent(way, { maxSockets: 1 });
  const kept = new BoundedTransport(way, agent);
  try {
    const reply = await check.sender.sendOver(bad, kept);
    const good: Sendable = {
      method: 'GET',
      path: check.api.path('listKeywords'),
      headers: [['authorization', `Bearer ${access}`]],
    };
    const started = performance.now();
    let next: Reply;
    try {
      next = await check.sender.sendOver(good, kept);
    } catch (error) {
      const hangs = performance.now() - started >= BOUNDS.deadlineMs;
      if (!(error instanceof NoAnswer) || hangs) throw error;
      next = await check.raw(good);
    }
    if (next.status !== 200) await dependsOnAlike(check, good);
    if (next.status !== 200)
      throw new Finding(
        `answered with ${seenStatus(reply)}, and then a good request over the same connection with ${seenStatus(next)}: expected 200`,
        next.exchange,
      );
    return reply;
  } finally {
    agent.destroy();
  }
}
