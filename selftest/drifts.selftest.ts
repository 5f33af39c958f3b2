import { expect, test } from '@playwright/test';
import { dialectOf, POINTS } from '../fixtures/run/dialect.js';
import { startReference } from '../fixtures/reference/server.js';
import { CLAUSES, type ClauseId } from '../spec/generated/clauses.js';
import { compose } from './drifts/drift.js';
import { DRIFTS } from './drifts/index.js';
import { given, runSuite } from './harness/command-line.js';
import { driftFaults } from './matrix/drift-cells.js';
import { faultsOf, type Cell } from './matrix/page.js';

test('where a new login ends the older ones and nobody may register, the checks of two workers run one after another', async () => {
  const drift = DRIFTS.find(({ id }) => id === 'one-session');
  const reference = await startReference({
    passwordCost: 16,
    ...(drift?.replace === undefined ? {} : { replace: drift.replace }),
  });
  const checks = [
    'JRN-01',
    'JRN-02',
    'REF-01',
    'REF-02',
    'REF-04',
    'UNA-02',
    'UNA-13',
    'FOR-06',
    'LOG-02',
    'TOK-01',
    'EXP-01',
  ];
  const run = await runSuite({ ...given(reference), IGNY8_REGISTER: 'off' }, [
    '--workers=2',
    '--grep',
    checks.join('|'),
  ]);
  await reference.close();
  const verdicts = run.report?.clauses
    .filter(({ id }) => checks.includes(id))
    .map(({ id, verdict }) => `${id} ${verdict}`);
  expect(verdicts?.toSorted(), run.output).toEqual(checks.map((id) => `${id} passed`).toSorted());
});

test('a drift lies over a defect: both change the same part, and both are seen', () => {
  const order: string[] = [];
  const noted = (name: string) => ({
    replace: (parts: { tokenId: () => string }) => ({
      tokenId: () => {
        order.push(name);
        return `${parts.tokenId()} ${name}`;
      },
    }),
  });
  const composed = compose(noted('drift'), noted('defect'));
  const conforming = { tokenId: () => 'id' };
  const changed = composed.replace?.(conforming as never, {} as never);
  expect(changed?.tokenId?.()).toBe('id defect drift');
  expect(order).toEqual(['drift', 'defect']);
});

test('several drifts at once fail for what each of them fails', () => {
  const trio = DRIFTS.find(({ id }) => id === 'trio');
  const of = (id: string) => DRIFTS.find((one) => one.id === id)?.fails ?? [];
  expect([...(trio?.fails ?? [])].sort()).toEqual(
    [...new Set([...of('no-rotation'), ...of('refused-403'), ...of('tokens-nested')])].sort(),
  );
});

const cell = (defect: string, failed: readonly ClauseId[], points: Cell['dialect']): Cell => ({
  ...{ defect, failed, passed: [], blocked: [], unverified: [], reasons: {}, messages: {} },
  ...{ dialect: points, requests: 0, auth: 0, ms: 0 },
});

test('a target that differs in a point whose owner does not fail is a fault of the suite, with a drift or without one', () => {
  const point = { point: 'missing credentials', guide: '401', target: '403', owner: 'UNA-01' } as const;
  const told = /missing credentials differs from the guide's, and UNA-01, which owns that, does not fail/;
  const ofDrift = (failed: readonly ClauseId[]): string =>
    driftFaults([cell('drift:refused-403', failed, [point])]).join('\n');
  expect(ofDrift([])).toMatch(told);
  expect(ofDrift(['UNA-01'])).not.toMatch(told);
  const ofVariant = (failed: readonly ClauseId[]): string =>
    faultsOf([cell('one-session', failed, [point])], [], false).join('\n');
  expect(ofVariant([])).toMatch(told);
  expect(ofVariant(['UNA-01'])).not.toMatch(told);
});

test('each owner that the dialect may name is a clause of the catalogue, and the guide itself differs in nothing', () => {
  const owners = POINTS.flatMap(({ owner }) => (owner === undefined ? [] : [owner]));
  expect(owners.filter((id) => !CLAUSES.some((one) => one.id === id))).toEqual([]);
  expect(dialectOf({ paths: {}, refreshField: 'refresh', registration: 'open' }).points).toEqual([]);
});
