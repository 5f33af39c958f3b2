import jwt from 'jsonwebtoken';
import { clause, expect } from '../fixtures/check/clause.js';
import { Blocked, Unverified, type Check } from '../fixtures/check/check.js';
import { decode, hmac, hmacBits, type DecodedToken } from '../fixtures/evidence/jwt.js';
import type { JsonObject } from '../fixtures/evidence/json.js';
import { maskText, passwordTrace } from '../fixtures/evidence/secrets.js';
import { readIssued, tokensOfEveryOrigin, type IssuedToken, type OriginRow } from './support/tokens/origins.js';
import { isWeakKey, weakKeys } from './support/tokens/weak-keys.js';

type Judge = (issued: IssuedToken, decoded: DecodedToken) => void;

/** Judges tokens of every origin, read; a row depends on TOK-01. */
async function eachToken(check: Check, judge: Judge, rows?: readonly OriginRow[]): Promise<void> {
  await check.eachRow(rows ?? (await tokensOfEveryOrigin(check)), ({ issued }) => {
    const one = issued();
    judge(one, readIssued(one));
  });
}

clause('TOK-01', async (check) => {
  await check.eachRow(await tokensOfEveryOrigin(check), ({ issued }) => {
    const { token, reply } = issued();
    expect(reply, 'the token').toSatisfy(
      decode(token)?.header['alg'] !== undefined,
      'three base64url parts, a JSON header with `alg`, a JSON payload',
      'something else',
    );
  });
});

function isUnsigned({ header }: DecodedToken): boolean {
  return /^none$/i.test(String(header['alg']));
}

clause('TOK-02', (check) =>
  eachToken(check, ({ reply }, decoded) => {
    expect(reply, '`alg`').toSatisfy(!isUnsigned(decoded), 'anything but `none`', '`none`');
  }),
);

clause('TOK-03', (check) =>
  eachToken(check, ({ reply }, decoded) => {
    // An unsigned token is TOK-02's.
    if (isUnsigned(decoded)) throw new Blocked('TOK-02', '`alg` is `none`');
    const { alg, typ } = decoded.header;
    expect(reply, 'the header').toSatisfy(
      alg === 'HS256' && typeof typ === 'string' && typ.toUpperCase() === 'JWT',
      '`alg` HS256 and `typ` JWT',
      `${JSON.stringify(alg)}, ${JSON.stringify(typ ?? 'no typ')}`,
    );
  }),
);

/** An id, as login's claim is one, and not the same. */
function isIdOfAnother(claim: unknown, first: unknown): boolean {
  const isId = (value: unknown): boolean => typeof value === 'number' || /^\d+$/.test(String(value));
  return isId(claim) && isId(first) && String(claim) !== String(first);
}

clause('TOK-04', async (check) => {
  const rows = await tokensOfEveryOrigin(check, ['access']);
  await eachToken(
    check,
    ({ user, reply, login }, { claims }) => {
      if (user['id'] === undefined) throw new Blocked('LOG-02', '`user` has no `id`');
      const claim = claims['user_id'];
      const first = decode(login?.token('access') ?? '')?.claims['user_id'];
      if (login !== undefined && isIdOfAnother(claim, first))
        throw new Blocked('REF-02', 'refresh gave a token of another user', reply.exchange);
      // Of a number in the payload no more is left than `JSON.parse` reads.
      const same = typeof claim === 'number' ? claim === Number(user['id']) : claim === String(user['id']);
      expect(reply, 'the claim `user_id`').toSatisfy(
        same,
        'the `id` of the user',
        claim === undefined ? 'no such claim' : 'something else',
      );
    },
    rows,
  );
});

/** Seconds: the year 5138. A time in milliseconds lies beyond it. */
const LATEST_SECONDS = 1e11;

clause('TOK-05', (check) =>
  eachToken(check, ({ reply }, { claims: { exp } }) => {
    const isNumber = typeof exp === 'number';
    const seen = exp === undefined ? 'no `exp`' : isNumber ? 'milliseconds' : `a ${typeof exp}`;
    expect(reply, '`exp`').toSatisfy(isNumber && exp <= LATEST_SECONDS, 'a number of seconds since the epoch', seen);
  }),
);

/** Seconds: the server writes `Date` and `iat` at two moments, and both are cut to whole seconds. */
const LEEWAY_SECONDS = 5;

clause('TOK-06', (check) =>
  eachToken(check, ({ reply }, { claims: { iat } }) => {
    const now = reply.serverDateMs === undefined ? Infinity : reply.serverDateMs / 1000;
    const ahead = typeof iat === 'number' ? iat - now - reply.ms / 1000 : NaN;
    const seen =
      typeof iat === 'number'
        ? `${String(Math.round(ahead))} s ahead of the response's Date`
        : iat === undefined
          ? 'no `iat`'
          : `a ${typeof iat}`;
    expect(reply, '`iat`').toSatisfy(ahead <= LEEWAY_SECONDS, 'there, and not in the future', seen);
  }),
);

/** A claim that is called as a password or its hash, with a value that may be one: no number, no date. */
function claimOfPassword(claims: JsonObject): string | undefined {
  const name = Object.keys(claims).find(
    (claim) => /passw|pwd/i.test(claim) && /^[\w+/=$.-]{12,}$/.test(String(claims[claim])),
  );
  return name === undefined || !Number.isNaN(Date.parse(String(claims[name])))
    ? undefined
    : `the claim \`${maskText(name.slice(0, 60))}\``;
}

clause('TOK-07', (check) =>
  eachToken(check, ({ account, reply }, { claims }) => {
    const payload = JSON.stringify(claims);
    const key = check.target.secret !== undefined && payload.includes(check.target.secret);
    const found =
      passwordTrace(payload, account.password) ?? (key ? 'the signing key' : undefined) ?? claimOfPassword(claims);
    expect(reply, 'the payload').toSatisfy(found === undefined, 'no password, hash or key', found ?? '');
  }),
);

/** Whether a token was signed with a key that everybody knows. Where the key is known and is the target's, there is nothing to try. */
function hasWeakKey(check: Check, token: string, { parts, header }: DecodedToken): boolean {
  const { secret } = check.target;
  const bits = hmacBits(header['alg']) ?? 256;
  const given = secret !== undefined && hmac(`${parts[0]}.${parts[1]}`, secret, bits) === parts[2];
  return given ? weakKeys().has(secret) : isWeakKey(token);
}

clause('TOK-08', (check) =>
  eachToken(check, ({ token, reply }, decoded) => {
    if (!String(decoded.header['alg']).startsWith('HS'))
      throw new Unverified('The token is not signed with an HMAC, so there is no shared key to try.');
    const weak = hasWeakKey(check, token, decoded);
    expect(reply, 'the signing key').toSatisfy(!weak, 'one that is on no list of well-known keys', 'a well-known key');
  }),
);

clause('TOK-09', (check) =>
  eachToken(check, ({ token, reply }) => {
    let verifies = true;
    try {
      // Only the signature is in question here: lifetimes are EXP's.
      jwt.verify(token, check.target.secret ?? '', {
        algorithms: ['HS256', 'HS384', 'HS512'],
        ignoreExpiration: true,
        ignoreNotBefore: true,
      });
    } catch {
      verifies = false;
    }
    expect(reply, 'with the key in IGNY8_JWT_SECRET').toSatisfy(verifies, 'the token to verify', 'not verified');
  }),
);
