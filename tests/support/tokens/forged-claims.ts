/** Claims that give more than their user has, in a token that is signed with the target's own key (FOR-09). */
import type { Check } from '../../../fixtures/check/check.js';
import {
  aKeyword,
  otherTenant,
  otherTenantsResource,
  foreignResource,
  accountId,
  remove,
  rowOfOnesOwn,
  type OwnRow,
} from '../access/resources.js';
import { jsonRequest } from '../../../fixtures/check/api.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { Blocked } from '../../../fixtures/check/findings.js';
import { seenStatus, expect } from '../../../fixtures/check/expect.js';
import { named } from '../../../fixtures/check/judging.js';
import { resign } from '../../../fixtures/evidence/jwt.js';
import { refreshedWrite } from '../access/viewers-writes.js';

/** Claims by which servers have been seen to decide, each set to the most that it can give. */
export const WIDER = {
  role: 'owner',
  roles: ['owner'],
  is_staff: true,
  is_superuser: true,
  is_admin: true,
  scope: 'write admin',
};

/** A role forged into the refresh token: the access token that comes of it writes no more than before. */
export async function judgeForgedRefresh(check: Check, key: string): Promise<void> {
  const plain = await refreshedWrite(check);
  if (plain.status !== 403)
    throw new Blocked('FOR-01', `a viewer's write after refresh does not get 403: ${seenStatus(plain)}`);
  const mine = await check.chain(check.target.viewer);
  const reply = await check.api.refresh(resign(mine.refresh, key, { claims: WIDER }));
  const access = reply.status === 200 ? reply.token('access') : undefined;
  // Refused as it is: then nothing comes of it.
  if (access === undefined) return;
  mine.advance(reply);
  const write = await check.api.createKeyword(aKeyword(check).body, { access });
  expect(write, 'a write after a role was forged into the refresh token').toBeRefused();
}

/** @throws Blocked by FOR-01 if a viewer may do that as it is, to another row */
async function dependsOnViewer(
  check: Check,
  owner: string,
  method: string,
  write: (row: OwnRow) => Promise<Reply>,
): Promise<void> {
  const row = await rowOfOnesOwn(check, owner);
  if (row === undefined) return;
  const plain = await write(row);
  await remove(check, { access: owner }, row);
  if (plain.status < 300) throw new Blocked('FOR-01', `a viewer's ${method} is not refused as it is`, plain.exchange);
}

/** A row of the viewer's own account, which a role that is forged into the token changes no more than the user's own does. */
export async function judgeForgedRow(check: Check, viewer: string, forged: string): Promise<void> {
  const owner = await check.session();
  const row = await rowOfOnesOwn(check, owner.access);
  if (row === undefined) return;
  const write = (method: 'PATCH' | 'DELETE', { path }: OwnRow, access: string): Promise<Reply> =>
    check.raw(jsonRequest(method, path, method === 'PATCH' ? aKeyword(check).body : undefined, { access }));
  try {
    for (const method of ['PATCH', 'DELETE'] as const) {
      const reply = await write(method, row, forged);
      if (reply.status < 300)
        await dependsOnViewer(check, owner.access, method, (other) => write(method, other, viewer));
      expect(reply, `${method} of a row with a role forged into the token`).toBeRefused();
    }
  } finally {
    await remove(check, owner, row);
  }
}

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
  // Of the roles that IGNY8 knows, the one that sees every tenant.
  const access = resign(owner.access, key, { claims: { ...WIDER, role: 'developer', roles: ['developer'] } });
  const read = await check.api.getResource(foreign.path, { access });
  expect(read, "another account's resource, with a role forged into the token").toBeRefused();
  if (check.target.write) await judgeForgedOwner(check, key, owner.access);
}

/** A keyword made with another tenant's account forged into the token: it does not come to be theirs. */
async function judgeForgedOwner(check: Check, key: string, access: string): Promise<void> {
  const other = await otherTenant(check);
  const account = other?.account;
  if (other === undefined || account === undefined) return;
  const { text, body } = aKeyword(check);
  const claims = { account_id: account, account, tenant_id: account };
  const write = await check.api.createKeyword(body, { access: resign(access, key, { claims }) });
  if (write.status >= 300) {
    expect(write, "a write with another account forged into the owner's token").toBeNoServerError();
    return;
  }
  const shown = async (what: string): Promise<boolean> =>
    (await check.api.listKeywords({ access: other.access })).text.includes(what);
  const theirs = await shown(text);
  if (theirs) {
    // The control: a row that was written with the token as it is is not in that list.
    const plain = aKeyword(check);
    await check.api.createKeyword(plain.body, { access });
    if (await shown(plain.text))
      throw new Blocked('FOR-06', "the other account's list holds one's own rows as they are");
  }
  expect(write, "a write with another account forged into the owner's token").toSatisfy(
    !theirs,
    "refused, or in one's own account",
    "the new row is in the other account's list",
  );
}
