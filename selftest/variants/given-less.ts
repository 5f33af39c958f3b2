/** Runs that were given less. */
import type { Target } from '../../fixtures/run/target.js';
import type { Variant } from './variant.js';

/** A target that was given less. */
const without =
  (...names: readonly ('owner' | 'viewer' | 'foreignResource' | 'deniedSite' | 'secret')[]) =>
  (target: Target): Target => {
    const needs = {
      owner: [],
      viewer: ['viewer'],
      foreignResource: [],
      deniedSite: ['site'],
      secret: ['secret'],
    } as const;
    const gone: readonly string[] = names.flatMap((name) => needs[name]);
    const left = Object.fromEntries(Object.entries(target).filter(([name]) => !names.some((one) => one === name)));
    return { ...(left as unknown as Target), capabilities: target.capabilities.filter((one) => !gone.includes(one)) };
  };

export const GIVEN_LESS: readonly Variant[] = [
  {
    id: 'given-nothing',
    words: 'Needs –: nothing but the base URL and permission to register.',
    unverified: 'any',
    target: without('owner', 'viewer', 'foreignResource', 'deniedSite', 'secret'),
  },
  {
    id: 'given-one-account',
    words: 'Needs –: one known account.',
    unverified: 'any',
    target: (target) => {
      const less = without('viewer', 'foreignResource', 'deniedSite', 'secret')(target);
      return {
        ...less,
        register: false,
        capabilities: less.capabilities.filter((one) => one !== 'register' && one !== 'foreign'),
      };
    },
  },
  {
    id: 'given-no-key',
    words: 'Needs secret: without it the clause is unverified.',
    unverified: 'any',
    target: without('secret'),
  },
  {
    id: 'given-the-wrong-key',
    words: 'If the key turns out not to be the target’s, those clauses stay unverified.',
    unverified: 'any',
    target: (target) => ({ ...target, secret: 'not-the-key-of-this-target-at-all' }),
    fails: ['TOK-09'],
  },
];
