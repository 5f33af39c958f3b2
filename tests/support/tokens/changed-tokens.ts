/** Tokens with changed claims, signed with the target's key: where refresh tokens come from, and what is to be refused of them. */
import type { Chain, Check } from '../../../fixtures/check/check.js';
import { resign } from '../../../fixtures/evidence/jwt.js';
import type { Reply } from '../../../fixtures/evidence/reply.js';
import { rotatesResigned } from './signing-key.js';

/** What is done to the claims of a token; a claim set to undefined is left out. */
export interface Change {
  readonly name: string;
  readonly change: Readonly<Record<string, unknown>>;
}

export function withExp(token: string, key: string, exp: unknown): string {
  return resign(token, key, { claims: { exp } });
}

/**
 * Chains for a changed refresh token, by where the token comes from: an earlier refresh, and register or a login of its own. The target has
 * shown that it takes such a token signed again.
 */
function chainRows(check: Check, key: string): { readonly name: string; readonly chain: () => Promise<Chain> }[] {
  const rotated = async (): Promise<Chain> => {
    const mine = await check.provenChain();
    await rotatesResigned(check, mine, key);
    return mine;
  };
  const unrotated = async (): Promise<Chain> => {
    // Proven on another chain: the proof rotates it.
    await rotated();
    return (await check.expendable()).chain;
  };
  return [
    { name: 'a refresh token from refresh', chain: rotated },
    { name: 'a refresh token from register or login', chain: unrotated },
  ];
}

/**
 * A row for each chain: its refresh token is presented with each change, and then unchanged: it was the change, not the chain, that was
 * refused.
 */
export function changedRefreshTokens(
  check: Check,
  key: string,
  changes: readonly Change[],
  judge: (reply: Reply, what: string) => Promise<void> | void,
): { readonly name: string; readonly judge: () => Promise<void> }[] {
  return chainRows(check, key).map(({ name, chain }) => ({
    name,
    judge: async () => {
      const mine = await chain();
      for (const { name: what, change } of changes) {
        const reply = await check.api.refresh(resign(mine.refresh, key, { claims: change }));
        if (reply.status < 400) mine.invalidate();
        await judge(reply, what);
      }
      await mine.rotate();
    },
  }));
}
