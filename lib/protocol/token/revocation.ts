import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { rememberedUntil } from '../../core/replay.ts'
import type { GrantRecord } from '../../core/request.ts'
import type { AccessTokenClaims } from './ownTokens.ts'

export interface RevocationsParts {
  readonly store: Pick<BackchannelStore, 'firstSeen' | 'seen' | 'endGrant'>
  readonly clock: () => number
  /** Seconds that the access tokens of a grant live. */
  accessSeconds(family: GrantRecord, client: Client): number
}

/**
 * Tokens that are worth nothing any more. A JWT access token cannot be taken back; the mark against it is for introspection.
 * Its `jti` begins with the public id of its request, so one mark ends all of a grant.
 */
export function createRevocations({ store, clock, accessSeconds }: RevocationsParts) {
  return {
    /** Ends a refresh token's family, and the access tokens of its grant (RFC 7009 2.1). */
    async revokeGrant(family: GrantRecord, client: Client): Promise<void> {
      await store.endGrant(family.id)
      await store.firstSeen(
        `revoked ${family.request}`,
        rememberedUntil(clock() / 1000 + accessSeconds(family, client)),
      )
    },

    async revokeAccessToken({ jti, exp }: AccessTokenClaims): Promise<void> {
      await store.firstSeen(`revoked ${jti}`, rememberedUntil(exp))
    },

    async isRevoked({ jti }: AccessTokenClaims): Promise<boolean> {
      const request = jti.slice(0, jti.indexOf('.'))
      return (await store.seen(`revoked ${jti}`)) || store.seen(`revoked ${request}`)
    },
  }
}

export type Revocations = ReturnType<typeof createRevocations>
