/** Forged tokens that are believed. */
import {
  type JsonWebKey,
  type KeyObject,
  X509Certificate,
  createHash,
  createHmac,
  createPublicKey,
  createVerify,
} from 'node:crypto';
import type { Occasion, Parts } from '../../fixtures/reference/behaviour.js';
import type { ClauseId } from '../../spec/generated/clauses.js';
import type { Defect } from './defect.js';
import {
  algOf,
  alsoTakes,
  type Json,
  KNOWN,
  KNOWN_KEY,
  mac,
  partOf,
  peek,
  signatureOf,
  textOf,
  unwraps,
  WHERE,
} from './helpers.js';

/** Access tokens that are taken although their signature is not ours. */
const takes =
  (good: (token: string, header: Json, input: string, signature: string) => boolean) =>
  (parts: Parts): Partial<Parts> => ({
    verifySignature: (token, kind) => {
      const [head = '', body = '', signature = ''] = token.split('.');
      if (kind === 'access' && body !== '' && good(token, partOf(token, 0), `${head}.${body}`, signature))
        return partOf(token, 1);
      return parts.verifySignature(token, kind);
    },
  });

const signedBy = (input: string, key: string | Buffer, signature: string, hash = 'sha256'): boolean =>
  createHmac(hash, key).update(input).digest('base64url') === signature;

const signedByKeyOf = (
  input: string,
  signature: string,
  key: () => Parameters<ReturnType<typeof createVerify>['verify']>[0],
): boolean => {
  try {
    return createVerify('sha256').update(input).verify(key(), Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
};

/** A server that verifies by the key found at the address in a header member. */
const fetching =
  (member: string, keyIn: (body: string) => KeyObject) =>
  (parts: Parts): Partial<Parts> => ({
    authenticate: async (context) => {
      const [, token = ''] = (context.headers['authorization'] ?? '').split(' ');
      const [head = '', body = '', signature = ''] = token.split('.');
      const address = partOf(token, 0)[member];
      if (typeof address === 'string') {
        const found = await fetch(address).then(
          (answer) => answer.text(),
          () => undefined,
        );
        const user = parts.userById(partOf(token, 1)['user_id']);
        if (
          found !== undefined &&
          user !== undefined &&
          signedByKeyOf(`${head}.${body}`, signature, () => keyIn(found))
        )
          return user;
      }
      return parts.authenticate(context);
    },
  });

/** Access tokens of one origin that are taken although their signature is not ours. */
const ofOrigin =
  (origin: Occasion, good: (token: string, signed: (token: string) => boolean) => boolean) =>
  (parts: Parts): Partial<Parts> => {
    const issued = new Set<string>();
    return {
      claims: (kind, user, chain, occasion) => ({ ...parts.claims(kind, user, chain, occasion), via: occasion }),
      sign: (given, kind) => {
        const token = parts.sign(given, kind);
        issued.add(signatureOf(token).toString('hex'));
        return token;
      },
      verifySignature: (token, kind) =>
        kind === 'access' &&
        partOf(token, 1)['via'] === origin &&
        partOf(token, 1)['token_type'] === 'access' &&
        good(token, (one) => issued.has(signatureOf(one).toString('hex')))
          ? partOf(token, 1)
          : parts.verifySignature(token, kind),
    };
  };

const isSigned = (token: string): boolean => signatureOf(token).length > 0;

const jwkOf = (token: string): unknown => (partOf(token, 0)['jwk'] as Json | undefined)?.['k'];

/** What goes wrong with a token whose signature one of two libraries verifies. */
const BY_ORIGIN: readonly {
  readonly id: string;
  readonly story: string;
  readonly clause: ClauseId;
  readonly good: Parameters<typeof ofOrigin>[1];
}[] = [
  {
    id: 'unsigned',
    story: 'are verified by an older library, which believes `alg: none`',
    clause: 'UNA-07',
    good: (token) => algOf(token) === 'none' && !isSigned(token),
  },
  {
    id: 'stripped',
    story: 'pass without a signature',
    clause: 'UNA-06',
    good: (token) => algOf(token) === 'HS256' && !isSigned(token) && token.split('.').length === 3,
  },
  {
    id: 'by-their-own-key',
    story: 'are verified with the key in their header',
    clause: 'UNA-15',
    good: (token) => {
      const k = jwkOf(token);
      return typeof k === 'string' && mac(token, Buffer.from(k, 'base64url'), 'sha256').equals(signatureOf(token));
    },
  },
  {
    id: 'by-sha512',
    story: 'may be signed with any HMAC that the library knows',
    clause: 'UNA-17',
    good: (token) => algOf(token) === 'HS512' && mac(token, KNOWN_KEY, 'sha512').equals(signatureOf(token)),
  },
  {
    id: 'cached-by-signature',
    story: 'are kept in a cache, by their signature only',
    clause: 'UNA-05',
    good: (token, signed) => algOf(token) === 'HS256' && token.split('.').length === 3 && signed(token),
  },
  {
    id: 'with-a-fourth-part',
    story: 'are split, and what comes after the third part is dropped',
    clause: 'UNA-04',
    good: (token, signed) => token.split('.').length === 4 && signed(token),
  },
];

const BLOCKED_ALGORITHMS: readonly unknown[] = ['none', 'None', 'NONE', 'nOnE'];

export const UNAUTHENTICATED_FORGERIES: readonly Defect[] = [
  {
    id: 'verified-by-signature',
    story: 'Verified tokens are cached, by their signature only.',
    clauses: ['UNA-05', 'UNA-07'],
    replace: (parts) => {
      const good = new Set<string>();
      return {
        verifySignature: (token, kind) => {
          const signature = token.split('.')[2] ?? '';
          if (kind === 'access' && token.split('.').length === 3 && good.has(signature)) return partOf(token, 1);
          const given = parts.verifySignature(token, kind);
          if (kind === 'access') good.add(signature);
          return given;
        },
      };
    },
  },
  {
    id: 'payload-read-first',
    story: 'The user is taken from the payload before it is verified, for the log; somebody used it.',
    clauses: ['UNA-05', 'UNA-06', 'UNA-08', 'UNA-15', 'UNA-17', 'UNA-07', 'UNA-14'],
    replace: takes((token) => token.split('.').length === 3),
  },
  ...(['register', 'refresh'] as const).flatMap((origin) =>
    BY_ORIGIN.map(({ id, story, clause, good }) => ({
      id: `tokens-of-${origin}-${id}`,
      story: `Access tokens ${WHERE[origin] ?? ''} ${story}.`,
      clauses: [clause],
      options: KNOWN,
      replace: ofOrigin(origin, good),
    })),
  ),
  {
    id: 'signature-by-prefix',
    story: 'The signature is compared as far as the shorter one goes.',
    clauses: ['UNA-06'],
    replace: (parts) => {
      const good = new Map<string, string>();
      return {
        sign: (given, kind) => {
          const token = parts.sign(given, kind);
          const [head = '', body = '', signature = ''] = token.split('.');
          good.set(`${head}.${body}`, signature);
          return token;
        },
        ...takes(
          (_, __, input, signature) =>
            signature !== '' && good.get(input)?.startsWith(signature.slice(0, 20)) === true && signature.length < 43,
        )(parts),
      };
    },
  },
  {
    id: 'signature-optional',
    story: 'An empty signature is taken for "not signed, so nothing to verify" (CVE-2020-28042).',
    clauses: ['UNA-06'],
    replace: takes((_, header, __, signature) => signature === '' && header['alg'] === 'HS256'),
  },
  {
    id: 'signature-of-any-token',
    story: 'Issued tokens are remembered by their parts, and not which part goes with which.',
    clauses: ['UNA-06'],
    replace: (parts) => {
      const issued = new Set<string>();
      return {
        sign: (claims, kind) => {
          const token = parts.sign(claims, kind);
          for (const one of token.split('.')) issued.add(one);
          return token;
        },
        verifySignature: (token, kind) =>
          kind === 'access' && token.split('.').length === 3 && token.split('.').every((one) => issued.has(one))
            ? partOf(token, 1)
            : parts.verifySignature(token, kind),
      };
    },
  },
  {
    id: 'signature-in-any-case',
    story: 'The signature is compared as a text, by the database, whose collation knows no case.',
    clauses: ['UNA-06'],
    options: KNOWN,
    replace: alsoTakes(
      (token, key, kind) =>
        kind === 'access' &&
        token.split('.').length === 3 &&
        mac(token, key, 'sha256').toString('base64url').toLowerCase() === (token.split('.')[2] ?? '').toLowerCase(),
    ),
  },
  {
    id: 'none-accepted',
    story: 'The library believes `alg: none` (CVE-2015-9235).',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'none' && signature === ''),
  },
  {
    id: 'none-in-other-case',
    story: 'The deny list knows `none`, and not `nOnE` (Auth0, 2020).',
    clauses: ['UNA-07'],
    replace: takes(
      (_, header) =>
        typeof header['alg'] === 'string' && header['alg'] !== 'none' && header['alg'].toLowerCase() === 'none',
    ),
  },
  {
    id: 'none-with-signature',
    story: 'Only an empty signature gives `none` away.',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'none' && signature !== ''),
  },
  {
    id: 'none-capitals-with-signature',
    story: 'Letters are compared as they stand, and a signature makes the token look signed.',
    clauses: ['UNA-07'],
    replace: takes((_, header, __, signature) => header['alg'] === 'NONE' && signature !== ''),
  },
  {
    id: 'alg-twice',
    story: 'The gateway reads the first `alg` of the header, the library behind it the last.',
    clauses: ['UNA-07'],
    replace: takes((token, header, __, signature) => {
      const first = /"alg":"(\w+)"/.exec(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())?.[1];
      return first === 'HS256' && header['alg'] === 'none' && signature === '';
    }),
  },
  {
    id: 'alg-empty',
    story: 'An unknown algorithm gives no verifier, and no verifier gives no error.',
    clauses: ['UNA-07'],
    replace: takes((_, header) => header['alg'] === ''),
  },
  {
    id: 'none-by-a-list',
    story: 'The library folds the case of `alg`, and the block list before it has the spellings from a blog post only.',
    clauses: ['UNA-07'],
    replace: (parts) => ({
      verifySignature: (token, kind) => {
        const alg = peek(token, 0)?.['alg'];
        const claims = peek(token, 1);
        return kind === 'access' &&
          textOf(alg).toLowerCase() === 'none' &&
          !BLOCKED_ALGORITHMS.includes(alg) &&
          claims !== undefined
          ? claims
          : parts.verifySignature(token, kind);
      },
    }),
  },
  {
    id: 'key-empty',
    story: 'The key of an unknown environment is the empty text.',
    clauses: ['UNA-08'],
    replace: takes((_, header, input, signature) => header['kid'] === undefined && signedBy(input, '', signature)),
  },
  {
    id: 'nested-unwrapped',
    story: 'A token inside a token is unwrapped, and nobody verifies the wrapping.',
    clauses: ['UNA-08'],
    replace: unwraps('access'),
  },
  {
    id: 'psychic-signature',
    story: 'A zero ECDSA signature verifies for any message (CVE-2022-21449).',
    clauses: ['UNA-08'],
    replace: takes((_, header, __, signature) => header['alg'] === 'ES256' && /^A+$/.test(signature)),
  },
  {
    id: 'plain-hash',
    story: 'The signature is a SHA-256 of the text, without the key.',
    clauses: ['UNA-08'],
    replace: takes((_, __, input, signature) => createHash('sha256').update(input).digest('base64url') === signature),
  },
  {
    id: 'old-key-still-good',
    story: 'The key of the first weeks is still in the list of keys.',
    clauses: ['UNA-08'],
    replace: alsoTakes(
      (token, _, kind) =>
        kind === 'access' &&
        partOf(token, 0)['alg'] === 'HS256' &&
        mac(token, 'secret', 'sha256').equals(signatureOf(token)),
    ),
  },
  {
    id: 'jwk-trusted',
    story: 'The key in the header verifies the token (CVE-2018-0114).',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) =>
        typeof header['jwk'] === 'object' &&
        signedByKeyOf(input, signature, () => ({
          key: createPublicKey({ key: header['jwk'] as JsonWebKey, format: 'jwk' }),
          dsaEncoding: 'ieee-p1363',
        })),
    ),
  },
  {
    id: 'jwk-symmetric',
    story: 'The same, for a symmetric key in the header.',
    clauses: ['UNA-15'],
    replace: takes((_, header, input, signature) => {
      const k = (header['jwk'] as Json | undefined)?.['k'];
      return typeof k === 'string' && signedBy(input, Buffer.from(k, 'base64url'), signature);
    }),
  },
  {
    id: 'kid-is-a-path',
    story: '`kid` names a file, and `/dev/null` is an empty one.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) => String(header['kid']).endsWith('/dev/null') && signedBy(input, '', signature),
    ),
  },
  {
    id: 'kid-in-sql',
    story: '`kid` is put into a query.',
    clauses: ['UNA-15'],
    replace: takes((_, header, input, signature) => {
      const key = /SELECT '(\w+)'/.exec(String(header['kid']))?.[1];
      return key !== undefined && signedBy(input, key, signature);
    }),
  },
  {
    id: 'kid-cut-at-nul',
    story: 'A C library reads the name of the key as far as its NUL, and finds none.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) => String(header['kid']).includes('\0') && signedBy(input, '', signature),
    ),
  },
  {
    id: 'x5c-trusted',
    story: 'The certificate chain is read, and nobody asks who signed it.',
    clauses: ['UNA-15'],
    replace: takes(
      (_, header, input, signature) =>
        Array.isArray(header['x5c']) &&
        signedByKeyOf(input, signature, () => {
          const [first] = header['x5c'] as unknown[];
          return new X509Certificate(Buffer.from(String(first), 'base64')).publicKey;
        }),
    ),
  },
  {
    id: 'jku-fetched',
    story: 'The key set is fetched from where the token says.',
    clauses: ['UNA-15'],
    replace: fetching('jku', (body) =>
      createPublicKey({ key: (JSON.parse(body) as { keys: JsonWebKey[] }).keys[0] ?? {}, format: 'jwk' }),
    ),
  },
  {
    id: 'x5u-fetched',
    story: 'The certificate is fetched from where the token says.',
    clauses: ['UNA-15'],
    replace: fetching('x5u', (body) => new X509Certificate(body).publicKey),
  },
  {
    id: 'hs512-accepted',
    story: 'All algorithms of the library are allowed.',
    clauses: ['UNA-17'],
    options: { jwtSecret: '0b1d-conformance-c52e-long-enough-to-be-strong-98e0' },
    replace: takes(
      (_, header, input, signature) =>
        header['alg'] === 'HS512' &&
        signedBy(input, '0b1d-conformance-c52e-long-enough-to-be-strong-98e0', signature, 'sha512'),
    ),
  },
  {
    id: 'refresh-by-hs512',
    story: 'The refresh service takes every HMAC that the library knows.',
    clauses: ['UNA-17'],
    options: KNOWN,
    replace: alsoTakes(
      (token, key, kind) =>
        kind === 'refresh' &&
        partOf(token, 0)['alg'] === 'HS512' &&
        mac(token, key, 'sha512').equals(signatureOf(token)),
    ),
  },
  {
    id: 'unknown-kid-is-the-key',
    story: '`keys.get(kid, kid)`: a `kid` that nobody knows is taken for the key itself.',
    clauses: ['UNA-15', 'REF-11'],
    options: KNOWN,
    replace: alsoTakes((token) => {
      const { kid, alg } = partOf(token, 0);
      return (
        typeof kid === 'string' && kid !== '' && alg === 'HS256' && signatureOf(token).equals(mac(token, kid, 'sha256'))
      );
    }),
  },
];
