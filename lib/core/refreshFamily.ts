import type { GrantRecord, Rotation } from './request.ts'

/** What a rotation makes of a grant; no `next` means that the grant has ended. The rule that every store follows. */
export function rotated(
  grant: GrantRecord,
  { from, to, expiresAt, previousUntil, now }: Rotation,
): { readonly outcome: 'rotated' | 'repeated' | 'reused'; readonly next?: GrantRecord } {
  if (grant.tokenHash === from) {
    return { outcome: 'rotated', next: { ...grant, tokenHash: to, previousHash: from, previousUntil, expiresAt } }
  }
  // A lost answer: the same token comes again in time, and takes the place of the one nobody received.
  if (grant.previousHash === from && now < (grant.previousUntil ?? 0)) {
    return { outcome: 'repeated', next: { ...grant, tokenHash: to, expiresAt } }
  }
  return { outcome: 'reused' }
}
