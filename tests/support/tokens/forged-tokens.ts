/** The clauses about forged tokens: each forgery is refused, and what it was made of stays good. */
import type { Row } from '../../../fixtures/check/judging.js';
import type { Check } from '../../../fixtures/check/check.js';
import { otherOrigins, stillLive } from './token-origins.js';
import { readToken } from './signing-key.js';
import { expectUnauthenticated } from '../access/unauthenticated.js';
import { decode } from '../../../fixtures/evidence/jwt.js';
import { type Means, type Forgery, FORGERIES } from './forgeries.js';

/** A forgery of one token, as a row. */
export interface ForgedRow extends Row {
  readonly forgery: Forgery;
  /** What it is made of. */
  readonly token: string;
}

/** All forgeries of the token that login gave, and the plainest ones of those from every other origin. */
export function forgedRows(
  forgeries: readonly Forgery[],
  ofLogin: string,
  others: readonly { readonly name: string; readonly token: string }[],
): ForgedRow[] {
  return [
    ...forgeries.map((forgery) => ({ name: forgery.name, forgery, token: ofLogin })),
    ...others.flatMap(({ name, token }) =>
      forgeries
        .filter(({ everyOrigin }) => everyOrigin === true)
        .map((forgery) => ({ name: `${forgery.name}, token of ${name}`, forgery, token })),
    ),
  ];
}

/** A clause about forged access tokens: each is refused, and the genuine ones are live before and after. */
export function judgeForgeries(check: Check, clauseId: Forgery['clause'], means: Means = {}): Promise<void> {
  return check.withLiveToken(async (access) => {
    const origins = await otherOrigins(check);
    const forgeries = FORGERIES.filter((forgery) => forgery.clause === clauseId && forgery.byKey === undefined);
    const others = origins.map(({ name, access: token }) => ({ name, token }));
    await check.eachRow(forgedRows(forgeries, access, others), async ({ forgery, token }) => {
      const forged = await forgery.forge(readToken(token), { subject: check.target.dialect.subject, ...means });
      // Of a token without a signature some rows make the token itself: nothing was forged then.
      if (forged === token) return;
      await expectUnauthenticated(check, await check.askProtected(forged), 'the forged token');
    });
    await stillLive(check, origins);
  });
}

/** REF-11: each forgery of a refresh token is refused, and the genuine one still rotates. */
export async function judgeRefreshForgeries(check: Check): Promise<void> {
  const mine = await check.provenChain();
  const genuine = mine.refresh;
  const other = decode(mine.access);
  const forgeries = FORGERIES.filter(({ ofRefresh, byKey }) => ofRefresh !== undefined && byKey === undefined);
  const others = (await otherOrigins(check)).map(({ name, refresh: token }) => ({ name, token }));
  try {
    await check.eachRow(forgedRows(forgeries, genuine, others), async ({ forgery, token }) => {
      const forged = await forgery.forge(readToken(token), {
        subject: check.target.dialect.subject,
        ...(other === undefined ? {} : { other }),
      });
      // Of a token without a signature some rows make the token itself: nothing was forged then.
      if (forged === token) return;
      const also = forgery.ofRefresh === 'or 400' ? [400] : [];
      await expectUnauthenticated(check, await check.api.refresh(forged), 'a forged refresh token', ...also);
    });
  } catch (error) {
    // One of them may have been taken for the genuine one.
    mine.invalidate();
    throw error;
  }
  await mine.rotate();
}
