/** Claims that give more than their user has, in a token that is signed with the target's own key (FOR-09). */
import type { Check } from '../../fixtures/check/check.js';
import { otherTenantsResource, foreignResource, accountId } from './resources.js';
import { Blocked } from '../../fixtures/check/findings.js';
import { seenStatus, expect } from '../../fixtures/check/expect.js';
import { named } from '../../fixtures/check/judging.js';
import { resign } from '../../fixtures/evidence/jwt.js';

/** Claims by which servers have been seen to decide, each set to the most that it can give. */
export const WIDER = {
  role: 'owner',
  roles: ['owner'],
  is_staff: true,
  is_superuser: true,
  is_admin: true,
  scope: 'write admin',
};

/** Another tenant's account, forged into the token of the owner: it opens nothing of that tenant's. */
export async function judgeForgedTenant(check: Check, key: string): Promise<void> {
  // The account of the foreign resource where it is known, else those next to one's own: ids are given out in order.
  const owner = await check.session();
  const foreign = check.target.register ? await otherTenantsResource(check) : await foreignResource(check);
  const plain = await check.api.getResource(foreign.path, owner);
  if (plain.status !== 403 && plain.status !== 404) {
    throw new Blocked('FOR-04', `another account's resource gets ${seenStatus(plain)} as it is`);
  }
  const own = accountId(owner.user);
  const near = Number.isInteger(own) ? [1, -1, 2, -2].map((step) => Number(own) + step) : [];
  await check.eachRow(
    named(
      foreign.account === undefined ? near : [foreign.account],
      () => "another account's resource, with another account forged into the token",
    ),
    async ({ value: account }) => {
      const claims = { account_id: account, account, tenant_id: account };
      const read = await check.api.getResource(foreign.path, {
        access: resign(owner.access, key, { claims }),
      });
      expect(read).toBeRefused();
    },
  );
}
