import type { GrantRecord } from '../../contracts/request.ts'
import type { Grant, KeyBinding } from '../../contracts/tokens.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { bindingAtToken } from '../authorization/keyBinding.ts'
import { narrowGrant } from '../authorization/narrow.ts'
import { grantOf, lifetimesOf, type TokenAnswer, withOverrides } from './grant.ts'
import { mint } from './issue.ts'
import { familyOf, makeRefreshToken, mayRefresh } from './refreshToken.ts'
import { revokeGrant } from './revocation.ts'

/**
 * The refresh grant (RFC 6749 6, OpenID Connect Core 12). A token that comes back after it was replaced was stolen: its
 * family ends (RFC 9700 4.14). All clients authenticate, so refresh tokens are bound to the client and not to a DPoP
 * key (RFC 9449 5); bound access tokens stay bound.
 * @throws BackchannelError RFC 6749 5.2.
 */
export async function refresh(
  ctx: Context,
  call: Call,
  client: RegisteredClient,
  certificateThumbprint: string | undefined,
): Promise<TokenAnswer> {
  if (!mayRefresh(client)) {
    throw new BackchannelError('unauthorized_client', 'This client is not registered for refresh tokens')
  }
  const binding = await bindingAtToken(ctx, call, client, certificateThumbprint)
  const { values } = call.form
  const token = values.get('refresh_token')
  if (token === undefined) throw invalidRequest('refresh_token is missing')
  const family = await findFamily(ctx, token, client)
  if (!(await ctx.users.isActive(family.sub))) {
    await ctx.store.endGrant(family.id)
    throw unknownToken()
  }
  requireKey(family, binding)
  const { request: id, details, approval } = family
  const source = withOverrides({ id, details, approval }, call.overrides)
  const whole = grantOf(ctx, source, client, binding, { accessToken: call.overrides?.accessToken })
  const grant = await narrowGrant(ctx, withScope(whole, values.get('scope')), call.form, client)
  const next = ctx.rules.rotatesRefreshTokens ? makeRefreshToken(ctx, family.id) : undefined
  // made before the rotation: should that fail, the token that was shown is still the current one
  const body = await mint(ctx, grant, client, next)
  if (next !== undefined) {
    const { refreshTokenSeconds } = lifetimesOf(ctx, whole.client, whole.overrides)
    await rotate(ctx, family, token, next, refreshTokenSeconds, client)
  }
  ctx.emit({ type: 'token.refreshed', clientId: client.id, grant: family.id })
  return { status: 200, body, issued: { grant, client } }
}

/** The family of a refresh token. With rotation, whether the token is the current one is found out by `rotate`. */
async function findFamily(ctx: Context, token: string, client: RegisteredClient): Promise<GrantRecord> {
  const id = familyOf(ctx, token)
  const family = id === undefined ? undefined : await ctx.store.findGrant(id)
  if (family?.clientId !== client.id || family.expiresAt <= ctx.clock()) throw unknownToken()
  if (!ctx.rules.rotatesRefreshTokens && family.tokenHash !== hashOf(token)) throw unknownToken()
  return family
}

async function rotate(
  ctx: Context,
  family: GrantRecord,
  token: string,
  next: string,
  seconds: number,
  client: RegisteredClient,
): Promise<void> {
  const now = ctx.clock()
  const { refreshFamilySeconds, refreshGraceSeconds } = ctx.settings.tokens
  const outcome = await ctx.store.rotate(family.id, {
    from: hashOf(token),
    to: hashOf(next),
    expiresAt: Math.min(now + seconds * 1000, family.issuedAt + refreshFamilySeconds * 1000),
    previousUntil: now + refreshGraceSeconds * 1000,
    now,
  })
  if (outcome === 'rotated' || outcome === 'repeated') return
  if (outcome === 'reused') {
    ctx.emit({ type: 'replay.seen', clientId: family.clientId, what: 'refresh_token' })
    await revokeGrant(ctx, family, client)
  }
  throw unknownToken()
}

/** Fewer values than were granted, never more. */
function withScope(grant: Grant, wanted: string | undefined): Grant {
  if (wanted === undefined) return grant
  const scope = [...new Set(wanted.split(' '))]
  if (scope.every((each) => grant.scope.includes(each))) return { ...grant, scope }
  throw new BackchannelError('invalid_scope', 'scope holds a value that was not granted')
}

/** Tokens that were bound to a key do not become bearer tokens. */
function requireKey(family: GrantRecord, binding: KeyBinding): void {
  const wasBound = family.dpopJkt !== undefined || family.certificateThumbprint !== undefined
  if (!wasBound || binding.dpopJkt !== undefined || binding.certificateThumbprint !== undefined) return
  throw invalidRequest('The tokens of this grant are bound to a key: show one here too')
}

function unknownToken(): BackchannelError {
  return new BackchannelError(
    'invalid_grant',
    'refresh_token is not known, has expired, was used, or belongs to another client',
  )
}
