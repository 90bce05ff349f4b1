import type { GrantRecord, RequestDetails } from '../../contracts/request.ts'
import type { Grant } from '../../contracts/tokens.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { equalSecrets, hashOf, idOf, newHandle, newId } from '../../core/crypto/handles.ts'
import { omitUndefined } from '../../core/json.ts'
import { type GrantSource, lifetimesOf } from './grant.ts'

// A refresh token is a handle of its family and a mark that only this server can make. A server that has refresh tokens
// of its own can tell whose a token is, and a token that was made up cannot pass for one of ours that was used twice.

export const refreshGrantType = 'refresh_token'

const handleLength = 59
const markLength = 22

/** A new refresh token of a family. */
export function makeRefreshToken(ctx: Pick<Context, 'vault'>, family: string): string {
  return withMark(ctx, newHandle(family))
}

/** The family of a refresh token of ours; `undefined` for every other text. Nothing is looked up. */
export function familyOf(ctx: Pick<Context, 'vault'>, token: string): string | undefined {
  if (token.length !== handleLength + markLength) return undefined
  const handle = token.slice(0, handleLength)
  return equalSecrets(token, withMark(ctx, handle)) ? idOf(handle) : undefined
}

/** The first refresh token of a new family, if this grant gets one (OpenID Connect Core 11). Nothing is stored yet. */
export async function firstRefreshToken(ctx: Context, grant: Grant, client: Client): Promise<string | undefined> {
  if (!mayRefresh(client)) return undefined
  const { issueRefreshToken } = ctx.tokenHooks
  const isWanted =
    issueRefreshToken === undefined ? grant.granted.scope.includes('offline_access') : await issueRefreshToken(grant)
  return isWanted ? makeRefreshToken(ctx, newId()) : undefined
}

/** Stores the family of a first refresh token. */
export async function keepRefreshToken(ctx: Context, token: string, grant: Grant, source: GrantSource): Promise<void> {
  const now = ctx.clock()
  const { refreshTokenSeconds } = lifetimesOf(ctx, grant.client, grant.overrides)
  const { tokens, ...approval } = source.approval
  const { sealedAccessToken: _, ...overrides } = tokens ?? {}
  const family: GrantRecord = omitUndefined({
    id: token.slice(0, 16),
    request: source.id,
    clientId: grant.clientId,
    sub: grant.subject,
    tokenHash: hashOf(token),
    issuedAt: now,
    expiresAt: now + refreshTokenSeconds * 1000,
    details: refreshable(source.details),
    approval: omitUndefined({ ...approval, tokens: tokens && overrides }),
    ...grant.binding,
  })
  await ctx.store.addGrant(family)
}

/** Clients that registered their grants have to have registered this one. */
export function mayRefresh({ metadata }: Client): boolean {
  return metadata.grant_types?.includes(refreshGrantType) ?? true
}

function withMark(ctx: Pick<Context, 'vault'>, handle: string): string {
  return handle + ctx.vault.sign('refresh', handle).slice(0, markLength)
}

/** What later tokens are made from, without what only the request needed. */
function refreshable(details: RequestDetails): RequestDetails {
  const { scope, resources, authorizationDetails, claims, requestContext, grantId } = details
  return omitUndefined({ scope, resources, authorizationDetails, claims, requestContext, grantId })
}
