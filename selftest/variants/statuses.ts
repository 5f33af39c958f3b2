/** Statuses where the contract names two, or none. */
import { unauthenticated } from '../../fixtures/reference/jwt.js';
import { Refusal } from '../../fixtures/reference/behaviour.js';
import { bodyOf, refusals } from '../defects/helpers.js';
import type { Variant } from './variant.js';

const withStatus = ({ error, errors, headers }: Refusal, status: number): Refusal =>
  new Refusal(status, error, errors, headers);

export const STATUSES: readonly Variant[] = [
  {
    id: 'duplicate-400',
    words: 'REG-07: 400 or 409.',
    replace: refusals((refusal) => (refusal.status === 409 ? withStatus(refusal, 400) : refusal)),
  },
  {
    id: 'foreign-404',
    words: "FOR-04: 403 (or 404), for another account's resource.",
    replace: (parts, store) => ({
      getKeyword: async (context) => {
        const user = await parts.authenticate(context);
        const keyword = store.keywords.find(({ id }) => String(id) === context.parameters['id']);
        if (keyword !== undefined && keyword.accountId !== user.account.id)
          throw new Refusal(404, 'Resource not found');
        return parts.getKeyword(context);
      },
    }),
    fails: ['FOR-05'],
  },
  {
    id: 'empty-is-401',
    words: 'LOG-08 and REF-10: 400 or 401 for an empty text.',
    replace: refusals((refusal, context) => {
      const { email, password, refresh } = bodyOf(context);
      const empty =
        context.operation === 'login'
          ? email === '' || password === ''
          : typeof refresh === 'string' && refresh.trim() === '';
      return refusal.status === 400 && context.operation !== 'register' && empty
        ? unauthenticated('Invalid credentials')
        : refusal;
    }),
  },
  {
    id: 'no-token-400',
    words: 'REF-08: 401 (400 accepted) for a text that is no JWT.',
    replace: refusals((refusal, context) => {
      const { refresh } = bodyOf(context);
      return refusal.status === 401 && typeof refresh === 'string' && !refresh.startsWith('eyJ')
        ? withStatus(refusal, 400)
        : refusal;
    }),
  },
  {
    id: 'content-type-400',
    words: 'ROB-03: 400 or 415.',
    replace: refusals((refusal) => (refusal.status === 415 ? withStatus(refusal, 400) : refusal)),
  },
  {
    id: 'keyword-422',
    words: '"Refused", of a body: 4xx. A keyword has no clause of its own that names another status.',
    replace: refusals((refusal, { operation }) =>
      operation === 'createKeyword' && refusal.errors !== undefined ? withStatus(refusal, 422) : refusal,
    ),
  },
  {
    id: 'long-413',
    words: 'ROB-04 asks for a 4xx.',
    replace: refusals((refusal, { rawBody }) => (rawBody.length > 500_000 ? withStatus(refusal, 413) : refusal)),
  },
  {
    id: 'routes-behind-login',
    words: 'Without a token, a wrong method or an unknown route may be 401, 404 or 405.',
    replace: (parts) => ({
      unknownRoute: (context) =>
        context.headers['authorization'] === undefined ? unauthenticated() : parts.unknownRoute(context),
      wrongMethod: (context, allowed) =>
        context.headers['authorization'] === undefined ? unauthenticated() : parts.wrongMethod(context, allowed),
    }),
  },
  {
    id: 'slash-required',
    words: 'ROB-08: a path without its last slash is never a 5xx; a redirect is fine, and so is 404.',
    replace: (parts) => ({
      withoutSlash: (context) => {
        throw parts.unknownRoute(context);
      },
    }),
  },
  {
    id: 'scheme-as-written',
    words: "UNA-13 is a MAY: the scheme's letter case may matter.",
    replace: (parts) => ({
      bearer: (context) => {
        if (!(context.headers['authorization'] ?? 'Bearer ').startsWith('Bearer ')) throw unauthenticated();
        return parts.bearer(context);
      },
    }),
    fails: ['UNA-13'],
  },
  {
    id: 'two-parts-400',
    words: 'REF-08: 400 accepted for a text that is no JWT, and two parts are none.',
    replace: refusals((refusal, context) => {
      const { refresh } = bodyOf(context);
      return refusal.status === 401 && typeof refresh === 'string' && refresh.split('.').length !== 3
        ? withStatus(refusal, 400)
        : refusal;
    }),
  },
  {
    id: 'options-behind-login',
    words: 'Without a token, a wrong method may be 401, 404 or 405; OPTIONS is one, for a client that is no browser.',
    replace: (parts) => ({
      options: (context, allowed) => {
        if (context.headers['authorization'] === undefined) throw unauthenticated();
        return parts.options(context, allowed);
      },
    }),
  },
];
