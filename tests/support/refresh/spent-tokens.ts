/** Spent refresh tokens that come again, REF-05 and REF-13. */
import type { Check } from '../../../fixtures/check/check.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { spend, withSpareBits, expectRefreshRefused } from './rotation.js';

/** A spent token presented again when `later` others have come after its successor, and then the newest of its chain. */
export function reuse(check: Check, later: number): Promise<{ reuse: Reply; newest: Reply }> {
  return check.memo(`reuse after ${String(later)}`, async () => {
    // One is register's, where it gives any; the oldest comes from a refresh, the other from login: some servers know one kind again.
    const { chain: mine } = await check.expendable(later === 1 ? 'a newcomer' : undefined);
    if (later > 1) await mine.rotate();
    const spent = await spend(check, mine);
    for (let turn = 0; turn < later; turn += 1) await mine.rotate();
    mine.invalidate();
    const again = await check.api.refresh(spent);
    return { reuse: again, newest: await check.api.refresh(mine.refresh) };
  });
}

export const REUSES = [
  { name: 'the spent refresh token', later: 0 },
  { name: "a newcomer's first refresh token, spent two rotations ago", later: 1 },
  { name: 'a refresh token that was spent four rotations ago', later: 3 },
];

/** The same token in another spelling: whoever remembers spent tokens as text does not know it again. */
export async function respelled(check: Check): Promise<void> {
  const { chain: mine } = await check.expendable();
  const spent = await spend(check, mine);
  mine.invalidate();
  for (const spelled of [`${spent}=`, withSpareBits(spent), ` ${spent} `, `Bearer ${spent}`])
    expectRefreshRefused(check, await check.api.refresh(spelled), 'the spent token, spelled in another way', 400);
}

/** A spent token in other company: a new session of its user, and that one's access token. */
export async function afterNewLogin(check: Check): Promise<void> {
  const { chain: mine, account } = await check.expendable();
  const spent = await spend(check, mine);
  mine.invalidate();
  const { access } = await check.login(account);
  expectRefreshRefused(check, await check.api.refresh(spent, { access }), 'the spent refresh token');
}
