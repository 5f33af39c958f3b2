import { BEHAVIOUR_DRIFTS } from './behaviour.js';
import { compose, type Drift } from './drift.js';
import { RESPONSE_DRIFTS } from './responses.js';

export type { Drift } from './drift.js';

const ALONE: readonly Drift[] = [...RESPONSE_DRIFTS, ...BEHAVIOUR_DRIFTS];

function drift(id: string): Drift {
  const found = ALONE.find((one) => one.id === id);
  if (found === undefined) throw new Error(`${id} is no drift`);
  return found;
}

/** Several drifts at once: what fails for one of them fails, and what one of them makes meaningless may be blocked. */
function together(id: string, story: string, names: readonly string[]): Drift {
  const drifts = names.map(drift);
  const fails = [...new Set(drifts.flatMap((one) => one.fails))];
  return {
    ...drifts.reduce<Pick<Drift, 'replace' | 'options' | 'target'>>((beneath, one) => compose(one, beneath), {}),
    id,
    story,
    fails,
    mostBlocked: drifts.reduce((sum, { mostBlocked }) => sum + mostBlocked, 0),
    hides: Object.assign({}, ...drifts.map(({ hides }) => hides ?? {})) as Record<string, string>,
  };
}

export const DRIFTS: readonly Drift[] = [
  ...ALONE,
  together('names-and-403', 'Two at once: other token names, and 403 for 401.', ['token-names', 'refused-403']),
  together('no-rotation-and-403', 'Two at once: no rotation, and 403 for 401.', ['no-rotation', 'refused-403']),
  together('no-envelope-and-403', 'Two at once, a stock framework: no envelope, and 403 for 401.', [
    'no-envelope',
    'refused-403',
  ]),
  together('path-and-field', 'Two at once, a token library: refresh elsewhere, and its field called otherwise.', [
    'refresh-path',
    'refresh-field',
  ]),
  together('trio', 'The likely three: no rotation, 403 for 401, tokens nested.', [
    'no-rotation',
    'refused-403',
    'tokens-nested',
  ]),
];
