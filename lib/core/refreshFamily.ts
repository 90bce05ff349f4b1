import type { GrantRecord, Rotation } from '../contracts/request.ts'
import { changed } from './json.ts'

/** What `rotate` of a store answers about a family that is there. */
export type RotationOutcome = 'rotated' | 'repeated' | 'reused'

/**
 * Refresh token rotation (RFC 9700 4.14.2): the one rule, which every store follows in `rotate`. The atomic versions,
 * `adapters/stores/redis/scripts.ts` (Lua) and `adapters/stores/postgres/statements.ts` (SQL), are tested against it.
 * @returns the outcome, and the family as it is to be stored; no `next`: the family has ended.
 */
export function rotateFamily(
  family: GrantRecord,
  { from, to, expiresAt, previousUntil, now }: Rotation,
): { readonly outcome: RotationOutcome; readonly next?: GrantRecord } {
  if (family.tokenHash === from) {
    return {
      outcome: 'rotated',
      next: changed(family, { tokenHash: to, previousHash: from, previousUntil, expiresAt }),
    }
  }
  // The answer with the current token was lost, and the client repeats its request with the previous one, in time: the
  // token that never arrived is replaced.
  if (family.previousHash === from && now < (family.previousUntil ?? 0)) {
    return { outcome: 'repeated', next: changed(family, { tokenHash: to, expiresAt }) }
  }
  return { outcome: 'reused' }
}
