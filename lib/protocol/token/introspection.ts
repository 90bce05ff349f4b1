import type { ClientMetadata } from '../../contracts/clients.ts'
import type { Introspection } from '../../contracts/tokens.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { subjectBehind, subjectFor } from '../authorization/subject.ts'
import type { AccessTokenClaims, OwnToken } from './ownTokens.ts'
import { isRevoked } from './revocation.ts'

/** What is said of every token that is worth nothing (RFC 7662 2.2). */
export const inactive: Introspection = { active: false }

/** Tells what a token is worth now (RFC 7662). A client that may not look at it is told that it is worth nothing. */
export async function introspect(ctx: Context, token: OwnToken, client: Client): Promise<Introspection> {
  const found =
    token.kind === 'access_token'
      ? await ofAccessToken(ctx, token.claims)
      : await ofRefreshToken(ctx, token.family, token.hash)
  if (!found.active) return inactive
  const { mayIntrospect } = ctx.tokenHooks
  const isAllowed =
    mayIntrospect === undefined ? isConcerned(client.metadata, found) : await mayIntrospect(client.metadata, found)
  return isAllowed ? found : inactive
}

async function ofAccessToken(ctx: Context, claims: AccessTokenClaims): Promise<Introspection> {
  const owner = await ctx.clients.find(claims.client_id)
  const subject = owner && subjectBehind(ctx, owner.metadata, claims.sub)
  if (claims.exp * 1000 <= ctx.clock() || subject === undefined) return inactive
  if ((await isRevoked(ctx, claims)) || !(await ctx.users.isActive(subject))) return inactive
  const bound = claims.cnf as { readonly jkt?: unknown } | undefined
  return { active: true, token_type: bound?.jkt === undefined ? 'Bearer' : 'DPoP', ...claims }
}

async function ofRefreshToken(ctx: Context, id: string, hash: string): Promise<Introspection> {
  const family = await ctx.store.findGrant(id)
  if (family?.tokenHash !== hash || family.expiresAt <= ctx.clock()) return inactive
  const owner = await ctx.clients.find(family.clientId)
  if (owner === undefined || !(await ctx.users.isActive(family.sub))) return inactive
  return {
    active: true,
    iss: ctx.settings.issuer,
    sub: subjectFor(ctx, owner.metadata, family.sub),
    client_id: family.clientId,
    scope: family.approval.scope.join(' '),
    iat: Math.floor(family.issuedAt / 1000),
    exp: Math.floor(family.expiresAt / 1000),
  }
}

/** Its own, or one that has it as audience. */
function isConcerned({ client_id }: ClientMetadata, token: Introspection): boolean {
  return token.client_id === client_id || [token.aud].flat().includes(client_id)
}
