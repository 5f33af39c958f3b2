/** The defects with which each drift is crossed: three of each area, spread over its list, none that needs a browser or a server of its own. */
import { DEFECTS } from '../defects/index.js';
import type { Defect } from '../defects/defect.js';
import { AREAS, CLAUSES } from '../../spec/generated/clauses.js';

/** Defects of each area. */
const OF_EACH = 3;

function spread<T>(list: readonly T[], count: number): T[] {
  return Array.from(
    { length: Math.min(count, list.length) },
    (_, n) => list[Math.floor((n * list.length) / count)],
  ).filter((one) => one !== undefined);
}

const crossable = DEFECTS.filter(({ server, browser }) => server === undefined && browser !== true);
const areaOf = ({ clauses }: Defect): string | undefined => CLAUSES.find(({ id }) => id === clauses[0])?.area;

export const SAMPLE: readonly Defect[] = Object.keys(AREAS).flatMap((area) =>
  spread(
    crossable.filter((defect) => areaOf(defect) === area),
    OF_EACH,
  ),
);
