import type { Awaitable, BackchannelStore, Client } from '../../contracts/contracts.ts'
import { equalSecrets, hashOf, idOf, newHandle, newId, type Vault } from '../../core/crypto/vault.ts'
import type { Guard } from '../../core/guard.ts'
import { present } from '../../core/omitUndefined.ts'
import type { GrantRecord, RequestDetails } from '../../core/request.ts'
import type { Grant, GrantSource } from './grant.ts'

export const refreshGrantType = 'refresh_token'

/** Does this grant get a refresh token? */
export type IssueRefreshToken = (grant: Grant) => Awaitable<boolean>

export interface RefreshTokensParts {
  readonly store: Pick<BackchannelStore, 'addGrant'>
  readonly clock: () => number
  readonly vault: Pick<Vault, 'sign'>
  readonly guard: Guard
  /** Defaults to: `offline_access` was granted (OpenID Connect Core 11). */
  readonly issueRefreshToken?: IssueRefreshToken | undefined
}

/** A handle and a mark that only we can make: 59 and 22 characters. */
const tokenLength = 81

/**
 * Refresh tokens. Each is a handle of its family with a mark of ours, so that a server which has refresh tokens of its own
 * can tell whose it is, and nobody can pretend that a token of ours was used twice.
 */
export function createRefreshTokens({ store, clock, vault, guard, issueRefreshToken }: RefreshTokensParts) {
  const marked = (handle: string) => handle + vault.sign('refresh', handle).slice(0, tokenLength - handle.length)

  return {
    /** A new token of a family. */
    make: (family: string): string => marked(newHandle(family)),

    /** The family of a token of ours, `undefined` for every other text. */
    familyOf(token: string): string | undefined {
      if (token.length !== tokenLength) return undefined
      const handle = token.slice(0, 59)
      return equalSecrets(token, marked(handle)) ? idOf(handle) : undefined
    },

    /** The first token of a new family, if this grant gets one. Nothing is stored yet. */
    async first(grant: Grant, client: Client): Promise<string | undefined> {
      if (!mayRefresh(client)) return undefined
      const wanted = issueRefreshToken
        ? await guard('tokens', () => issueRefreshToken(grant))
        : grant.granted.scope.includes('offline_access')
      return wanted ? this.make(newId()) : undefined
    },

    /** Stores the family of a first token. */
    async keep(token: string, grant: Grant, source: GrantSource, seconds: number): Promise<void> {
      const now = clock()
      const { sealedAccessToken: _, ...wishes } = source.approval.tokens ?? {}
      const family: GrantRecord = present({
        id: token.slice(0, 16),
        request: source.id,
        clientId: grant.clientId,
        sub: grant.subject,
        tokenHash: hashOf(token),
        issuedAt: now,
        expiresAt: now + seconds * 1000,
        details: refreshable(source.details),
        approval: { ...source.approval, ...(source.approval.tokens === undefined ? {} : { tokens: wishes }) },
        ...grant.binding,
      })
      await store.addGrant(family)
    },
  }
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

/** Clients that registered their grants have to have registered this one. */
export function mayRefresh({ metadata }: Client): boolean {
  return metadata.grant_types?.includes(refreshGrantType) ?? true
}

/** What later tokens are made from; what only the request needed stays behind. */
function refreshable(details: RequestDetails): RequestDetails {
  const { scope, resources, authorizationDetails, claims, requestContext, grantId } = details
  return present({ scope, resources, authorizationDetails, claims, requestContext, grantId })
}
