import type { GrantRecord } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { once, rememberedUntil, wasSeen } from '../../core/replay.ts'
import { lifetimesOf } from './grant.ts'
import { type AccessTokenClaims, type OwnToken, readOwnToken, verifyOwnToken } from './ownTokens.ts'

/**
 * Revokes a token of the client's own (RFC 7009 2). A refresh token takes all tokens of its grant with it.
 * @throws BackchannelError `unauthorized_client` when it is another client's.
 */
export async function revoke(ctx: Context, token: OwnToken, client: Client): Promise<void> {
  if (token.kind === 'access_token') {
    requireOwn(token.claims.client_id, client)
    await revokeAccessToken(ctx, token.claims)
    ctx.emit({ type: 'token.revoked', clientId: client.id })
    return
  }
  const family = await ctx.store.findGrant(token.family)
  if (family === undefined) return
  requireOwn(family.clientId, client)
  await revokeGrant(ctx, family, client)
  ctx.emit({ type: 'token.revoked', clientId: client.id, grant: family.id })
}

/** Ends a refresh token's family, and the access tokens of its grant (RFC 7009 2.1). */
export async function revokeGrant(ctx: Context, family: GrantRecord, client: Client): Promise<void> {
  await ctx.store.endGrant(family.id)
  const { accessTokenSeconds } = lifetimesOf(ctx, client.metadata, family.approval.tokens)
  // `jti` of an access token begins with the public id of its request, so one entry revokes all of a grant
  await once(ctx, 'revoked', family.request, rememberedUntil(ctx.clock() / 1000 + accessTokenSeconds))
}

/** A JWT access token cannot be taken back: it is remembered as revoked, and introspection says so. */
export async function revokeAccessToken(ctx: Context, { jti, exp }: AccessTokenClaims): Promise<void> {
  await once(ctx, 'revoked', jti, rememberedUntil(exp))
}

/** Makes pushed tokens worthless that no client received. */
export async function revokePushed(ctx: Context, tokens: Readonly<Record<string, unknown>>): Promise<void> {
  for (const text of [tokens.refresh_token, tokens.access_token]) {
    const presented = typeof text === 'string' ? readOwnToken(ctx, text) : undefined
    const token = presented && (await verifyOwnToken(ctx, presented))
    if (token?.kind === 'refresh_token') await ctx.store.endGrant(token.family)
    if (token?.kind === 'access_token') await revokeAccessToken(ctx, token.claims)
  }
}

/** Was this access token revoked, by itself or with its grant? */
export async function isRevoked(ctx: Context, { jti }: AccessTokenClaims): Promise<boolean> {
  const request = jti.slice(0, jti.indexOf('.'))
  return (await wasSeen(ctx, 'revoked', jti)) || wasSeen(ctx, 'revoked', request)
}

function requireOwn(clientId: string, client: Client): void {
  if (clientId === client.id) return
  throw new BackchannelError('unauthorized_client', 'This token belongs to another client')
}
