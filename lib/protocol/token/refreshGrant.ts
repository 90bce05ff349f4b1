import type { BackchannelStore, Call, Client, Form } from '../../contracts/contracts.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { GrantRecord } from '../../core/request.ts'
import type { Binding } from '../authorization/keyBinding.ts'
import type { ServeGrant } from './endpoint.ts'
import type { Grant, GrantOf } from './grant.ts'
import type { createMint } from './mint.ts'
import { mayRefresh, type RefreshTokens } from './refreshToken.ts'
import type { Revocations } from './revocation.ts'
import { wantedOf } from './wants.ts'

export interface RefreshParts {
  readonly store: Pick<BackchannelStore, 'findGrant' | 'rotate' | 'endGrant'>
  readonly clock: () => number
  readonly emit: Emit
  /** Each use brings a new token; FAPI 2 wants none (5.3.2.1). */
  readonly rotates: boolean
  /** Seconds for which the token before is still taken, should the answer have been lost. */
  readonly graceSeconds: number
  /** Seconds that a family lives at most, however often it is used. */
  readonly familySeconds: number
  readonly refreshTokens: RefreshTokens
  readonly revocations: Revocations
  isActive(sub: string): Promise<boolean>
  readBinding(call: Call, client: Client, certificateThumbprint: string | undefined): Promise<Binding>
  readonly grantOf: GrantOf
  narrow(grant: Grant, form: Form, client: Client): Promise<Grant>
  readonly mint: ReturnType<typeof createMint>
  refreshSeconds(grant: Grant): number
}

/**
 * The refresh grant (RFC 6749 6, OpenID Connect Core 12). A token that comes back after it was replaced has been stolen, by
 * one of the two who showed it: its family ends (RFC 9700 4.14). All clients authenticate, so it is they whom refresh tokens
 * are bound to, and not a DPoP key (RFC 9449 5); bound access tokens stay bound.
 */
export function createRefresh(parts: RefreshParts): ServeGrant {
  const { store, clock, emit, refreshTokens } = parts

  return async (call, client, certificateThumbprint) => {
    if (!mayRefresh(client)) {
      throw new BackchannelError('unauthorized_client', 'This client is not registered for refresh tokens')
    }
    const binding = await parts.readBinding(call, client, certificateThumbprint)
    const token = call.form.values.get('refresh_token')
    if (token === undefined) throw new BackchannelError('invalid_request', 'refresh_token is missing')
    const family = await familyOf(token, client)
    if (!(await parts.isActive(family.sub))) {
      await store.endGrant(family.id)
      throw unknown()
    }
    requireKey(family, binding)
    const { source, extra } = wantedOf({ ...family, id: family.request }, call.wants)
    const whole = parts.grantOf(source, client, binding, extra)
    const grant = await parts.narrow(withScope(whole, call.form.values.get('scope')), call.form, client)
    const next = parts.rotates ? refreshTokens.make(family.id) : undefined
    // made first: should that fail, the token shown is still the one that counts
    const body = await parts.mint(grant, client, next)
    if (next !== undefined) await rotate(family, token, next, parts.refreshSeconds(whole), client)
    emit({ type: 'token.refreshed', clientId: client.id, grant: family.id })
    return { status: 200, body, sub: family.sub, grant }
  }

  async function familyOf(token: string, client: Client): Promise<GrantRecord> {
    const id = refreshTokens.familyOf(token)
    const family = id === undefined ? undefined : await store.findGrant(id)
    if (family?.clientId !== client.id || family.expiresAt <= clock()) throw unknown()
    if (!parts.rotates && family.tokenHash !== hashOf(token)) throw unknown()
    return family
  }

  async function rotate(family: GrantRecord, token: string, next: string, seconds: number, client: Client) {
    const now = clock()
    const outcome = await store.rotate(family.id, {
      from: hashOf(token),
      to: hashOf(next),
      expiresAt: Math.min(now + seconds * 1000, family.issuedAt + parts.familySeconds * 1000),
      previousUntil: now + parts.graceSeconds * 1000,
      now,
    })
    if (outcome === 'rotated' || outcome === 'repeated') return
    if (outcome === 'reused') {
      emit({ type: 'replay.seen', clientId: family.clientId, what: 'refresh_token' })
      await parts.revocations.revokeGrant(family, client)
    }
    throw unknown()
  }
}

/** Fewer values than were granted, never more. */
function withScope(grant: Grant, wanted: string | undefined): Grant {
  if (wanted === undefined) return grant
  const scope = [...new Set(wanted.split(' '))]
  if (scope.every((each) => grant.scope.includes(each))) return { ...grant, scope }
  throw new BackchannelError('invalid_scope', 'scope holds a value that was not granted')
}

/** Tokens that were bound to a key do not become bearer tokens. */
function requireKey(family: GrantRecord, binding: Binding): void {
  const wasBound = family.dpopJkt !== undefined || family.certificateThumbprint !== undefined
  if (!wasBound || binding.dpopJkt !== undefined || binding.certificateThumbprint !== undefined) return
  throw new BackchannelError('invalid_request', 'The tokens of this grant are bound to a key: show one here too')
}

function unknown(): BackchannelError {
  return new BackchannelError(
    'invalid_grant',
    'refresh_token is not known, has expired, was used, or belongs to another client',
  )
}
