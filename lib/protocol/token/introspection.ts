import type { Awaitable, BackchannelStore, Client, ClientMetadata } from '../../contracts/contracts.ts'
import { hashOf } from '../../core/crypto/vault.ts'
import type { Guard } from '../../core/guard.ts'
import type { AccessTokenClaims, Presented } from './ownTokens.ts'
import type { Revocations } from './revocation.ts'

/** What is known of an active token (RFC 7662 2.2). */
export type Introspection = { readonly active: boolean; readonly [member: string]: unknown }

/** May this client look at that token? */
export type MayIntrospect = (client: ClientMetadata, token: Introspection) => Awaitable<boolean>

export interface IntrospectParts {
  readonly issuer: string
  readonly store: Pick<BackchannelStore, 'findGrant'>
  readonly clock: () => number
  readonly guard: Guard
  readonly revocations: Revocations
  findClient(clientId: string): Promise<Client | undefined>
  /** The host's subject behind the `sub` of a client's tokens. */
  subjectOf(client: ClientMetadata, sub: string): string | undefined
  nameFor(client: ClientMetadata, sub: string): string
  isActive(sub: string): Promise<boolean>
  /** Defaults to: the token is its own, or is for it as audience. */
  readonly mayIntrospect?: MayIntrospect | undefined
}

const inactive: Introspection = { active: false }

/** Tells what a token is worth now (RFC 7662). Whoever may not know is told what holds for every worthless one. */
export function createIntrospect(parts: IntrospectParts) {
  const { store, clock, guard, revocations, mayIntrospect = isConcerned } = parts

  async function accessToken(claims: AccessTokenClaims): Promise<Introspection> {
    const owner = await parts.findClient(claims.client_id)
    const subject = owner && parts.subjectOf(owner.metadata, claims.sub)
    if (claims.exp * 1000 <= clock() || subject === undefined) return inactive
    if ((await revocations.isRevoked(claims)) || !(await parts.isActive(subject))) return inactive
    const bound = claims.cnf as { readonly jkt?: unknown } | undefined
    return { active: true, token_type: bound?.jkt === undefined ? 'Bearer' : 'DPoP', ...claims }
  }

  async function refreshToken(id: string, token: string): Promise<Introspection> {
    const family = await store.findGrant(id)
    if (family?.tokenHash !== hashOf(token) || family.expiresAt <= clock()) return inactive
    const owner = await parts.findClient(family.clientId)
    if (owner === undefined || !(await parts.isActive(family.sub))) return inactive
    return {
      active: true,
      iss: parts.issuer,
      sub: parts.nameFor(owner.metadata, family.sub),
      client_id: family.clientId,
      scope: family.approval.scope.join(' '),
      iat: Math.floor(family.issuedAt / 1000),
      exp: Math.floor(family.expiresAt / 1000),
    }
  }

  return async (presented: Presented, token: string, client: Client): Promise<Introspection> => {
    const found =
      presented.kind === 'access_token'
        ? await accessToken(presented.claims)
        : await refreshToken(presented.family, token)
    if (!found.active) return inactive
    return (await guard('tokens', () => mayIntrospect(client.metadata, found))) ? found : inactive
  }
}

function isConcerned({ client_id }: ClientMetadata, token: Introspection): boolean {
  return token.client_id === client_id || [token.aud].flat().includes(client_id)
}
