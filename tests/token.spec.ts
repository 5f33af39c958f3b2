import jwt from 'jsonwebtoken';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check, type Session } from '../fixtures/check/check.js';
import { firstSession } from './support/lifetimes.js';
import { decode, hmac, type DecodedToken } from '../fixtures/evidence/jwt.js';
import { passwordTrace } from '../fixtures/evidence/secrets.js';
import { isWeakKey, weakKeys } from './support/weak-keys.js';

const KINDS = ['access', 'refresh'] as const;

/** Both tokens, read; rests on TOK-01. */
async function read(
  check: Check,
): Promise<Session & { readonly decoded: Record<(typeof KINDS)[number], DecodedToken> }> {
  const session = await firstSession(check);
  const access = decode(session.access);
  const refresh = decode(session.refresh);
  if (access === undefined || refresh === undefined) throw new Blocked('TOK-01', 'a token is no compact JWS');
  return { ...session, decoded: { access, refresh } };
}

clause('TOK-01', async (check) => {
  const session = await firstSession(check);
  const faulty = KINDS.filter((kind) => decode(session[kind])?.header['alg'] === undefined);
  expect(session.reply, 'access and refresh').toSatisfy(
    faulty.length === 0,
    'three base64url parts, a JSON header with `alg`, a JSON payload',
    `not so: ${faulty.join(' and ')}`,
  );
});

clause('TOK-02', async (check) => {
  const { decoded, reply } = await read(check);
  const unsigned = KINDS.filter((kind) => /^none$/i.test(String(decoded[kind].header['alg'])));
  expect(reply, '`alg`').toSatisfy(
    unsigned.length === 0,
    'anything but `none`',
    `\`none\` in ${unsigned.join(' and ')}`,
  );
});

clause('TOK-03', async (check) => {
  const { decoded, reply } = await read(check);
  const seen = KINDS.map((kind) => ({ kind, alg: decoded[kind].header['alg'], typ: decoded[kind].header['typ'] }));
  // An unsigned token is TOK-02's.
  if (seen.some(({ alg }) => /^none$/i.test(String(alg)))) throw new Blocked('TOK-02', '`alg` is `none`');
  expect(reply, 'the headers').toSatisfy(
    seen.every(({ alg, typ }) => alg === 'HS256' && typeof typ === 'string' && typ.toUpperCase() === 'JWT'),
    '`alg` HS256 and `typ` JWT',
    seen.map(({ kind, alg, typ }) => `${kind}: ${JSON.stringify(alg)}, ${JSON.stringify(typ ?? 'no typ')}`).join('; '),
  );
});

clause('TOK-04', async (check) => {
  const { decoded, user, reply } = await read(check);
  if (user['id'] === undefined) throw new Blocked('LOG-02', '`user` has no `id`');
  const claim = decoded.access.claims['user_id'];
  expect(reply, 'the claim `user_id` of the access token').toSatisfy(
    (typeof claim === 'number' || typeof claim === 'string') && String(claim) === String(user['id']),
    'the `id` of the user',
    claim === undefined ? 'no such claim' : 'something else',
  );
});

/** Seconds: the year 5138. A time in milliseconds lies beyond it. */
const LATEST_SECONDS = 1e11;

clause('TOK-05', async (check) => {
  const { decoded, reply } = await read(check);
  const faults = KINDS.flatMap((kind) => {
    const exp = decoded[kind].claims['exp'];
    if (exp === undefined) return [`${kind}: no \`exp\``];
    if (typeof exp !== 'number') return [`${kind}: a ${typeof exp}`];
    return exp > LATEST_SECONDS ? [`${kind}: milliseconds`] : [];
  });
  expect(reply, '`exp`').toSatisfy(faults.length === 0, 'a number of seconds since the epoch', faults.join('; '));
});

/** Seconds: the server writes `Date` and `iat` at two moments, and both are cut to whole seconds. */
const LEEWAY_SECONDS = 5;

clause('TOK-06', async (check) => {
  const { decoded, reply } = await read(check);
  const now = reply.serverDateMs === undefined ? Infinity : reply.serverDateMs / 1000;
  const faults = KINDS.flatMap((kind) => {
    const iat = decoded[kind].claims['iat'];
    if (iat === undefined) return [`${kind}: no \`iat\``];
    if (typeof iat !== 'number') return [`${kind}: a ${typeof iat}`];
    const ahead = iat - now - reply.ms / 1000;
    return ahead > LEEWAY_SECONDS ? [`${kind}: ${String(Math.round(ahead))} s ahead of the answer's Date`] : [];
  });
  expect(reply, '`iat`').toSatisfy(faults.length === 0, 'there, and not in the future', faults.join('; '));
});

clause('TOK-07', async (check) => {
  const { decoded, account, reply } = await read(check);
  const found = KINDS.flatMap((kind) => {
    const payload = JSON.stringify(decoded[kind].claims);
    const trace = passwordTrace(payload, account.password);
    const key = check.target.secret !== undefined && payload.includes(check.target.secret);
    return [...(trace === undefined ? [] : [`${kind}: ${trace}`]), ...(key ? [`${kind}: the signing key`] : [])];
  });
  expect(reply, 'the payloads').toSatisfy(found.length === 0, 'no password, hash or key', found.join('; '));
});

clause('TOK-08', async (check) => {
  const { access, refresh, decoded, reply } = await read(check);
  if (!KINDS.some((kind) => String(decoded[kind].header['alg']).startsWith('HS'))) {
    throw new Unverified('The tokens are not signed with an HMAC, so there is no shared key to try.');
  }
  const { secret } = check.target;
  const { parts } = decoded.access;
  // Where the key is known and is the target's, there is nothing to try.
  const given = secret !== undefined && hmac(`${parts[0]}.${parts[1]}`, secret) === parts[2];
  const weak = (given ? weakKeys().has(secret) : isWeakKey(access)) || (!given && isWeakKey(refresh));
  expect(reply, 'the signing key').toSatisfy(!weak, 'one that is on no list of well-known keys', 'a well-known key');
});

clause('TOK-09', async (check) => {
  const { secret } = check.target;
  const session = await read(check);
  const refused = KINDS.filter((kind) => {
    try {
      // Only the signature is in question here: lifetimes are EXP's.
      jwt.verify(session[kind], secret ?? '', {
        algorithms: ['HS256', 'HS384', 'HS512'],
        ignoreExpiration: true,
        ignoreNotBefore: true,
      });
      return false;
    } catch {
      return true;
    }
  });
  expect(session.reply, 'with the key in IGNY8_JWT_SECRET').toSatisfy(
    refused.length === 0,
    'both tokens to verify',
    `not verified: ${refused.join(' and ')}`,
  );
});
