import type { ClientMetadata } from '../../contracts/clients.ts'
import type { Approval, RequestDetails, TokenOverrides } from '../../contracts/request.ts'
import type { Grant, Granted, KeyBinding } from '../../contracts/tokens.ts'
import type { Client, RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import type { CallOverrides } from '../../core/http/call.ts'
import { omitUndefined } from '../../core/json.ts'
import { subjectFor } from '../authorization/subject.ts'

/** An answer of the token endpoint. `authorization_pending` and `slow_down` are answers too: most polls end in one. */
export interface TokenAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** What the tokens were made of, and who collected them. */
  readonly issued?: { readonly grant: Grant; readonly client: RegisteredClient }
}

/** Where a grant comes from: a stored request, or a stored refresh token. */
export interface GrantSource {
  /** Public id of the request. */
  readonly id: string
  readonly details: RequestDetails
  readonly approval: Approval
}

/** Seconds that tokens live. */
export interface Lifetimes {
  readonly accessTokenSeconds: number
  readonly idTokenSeconds: number
  /** From one use of a refresh token to the next. */
  readonly refreshTokenSeconds: number
}

/**
 * Puts together what was asked, what was answered, and who collects.
 * @param extra What is known of this collection alone: the `auth_req_id` of a push, an access token given by a backend.
 */
export function grantOf(
  ctx: Context,
  source: GrantSource,
  client: Client,
  binding: KeyBinding,
  extra: { readonly authReqId?: string | undefined; readonly accessToken?: string | undefined } = {},
): Grant {
  const { details, approval } = source
  const { metadata } = client
  const { sealedAccessToken: _, ...overrides } = approval.tokens ?? {}
  const granted: Granted = omitUndefined({
    scope: approval.scope,
    resources: approval.resources ?? details.resources ?? [],
    authorizationDetails: approval.authorizationDetails ?? details.authorizationDetails,
  })
  return omitUndefined({
    request: source.id,
    clientId: metadata.client_id,
    client: metadata,
    subject: approval.sub,
    sub: subjectFor(ctx, metadata, approval.sub),
    approvedAt: approval.at,
    authTime: approval.authTime,
    acr: approval.acr,
    amr: approval.amr,
    ...granted,
    granted,
    claims: details.claims,
    requestContext: details.requestContext,
    grantManagementAction: details.grantManagementAction,
    grantId: details.grantId,
    binding,
    overrides,
    authReqId: extra.authReqId,
    accessToken: extra.accessToken,
  })
}

/**
 * How long tokens live: what the approval or the call says, else what the host says of the client, else the defaults.
 * No refresh token lives longer than its family may.
 */
export function lifetimesOf(
  ctx: Context,
  client: ClientMetadata,
  overrides: Pick<TokenOverrides, keyof Lifetimes> = {},
): Lifetimes {
  const { lifetimeSeconds } = ctx.tokenHooks
  return {
    accessTokenSeconds: overrides.accessTokenSeconds ?? lifetimeSeconds('accessToken', client),
    idTokenSeconds: overrides.idTokenSeconds ?? lifetimeSeconds('idToken', client),
    refreshTokenSeconds: Math.min(
      ctx.settings.tokens.refreshFamilySeconds,
      overrides.refreshTokenSeconds ?? lifetimeSeconds('refreshToken', client),
    ),
  }
}

/** The source with what a trusted backend changes of the tokens of one call. What is stored stays as it is. */
export function withOverrides(source: GrantSource, overrides: CallOverrides | undefined): GrantSource {
  if (overrides?.tokens === undefined) return source
  const { approval } = source
  return { ...source, approval: { ...approval, tokens: merged(approval.tokens, overrides.tokens) } }
}

/** Access token claims and properties are joined, everything else is replaced. */
function merged(stored: TokenOverrides = {}, changes: TokenOverrides): TokenOverrides {
  const { accessTokenClaims, properties, ...replaced } = changes
  const changedKeys = new Set(properties?.map(({ key }) => key))
  const kept = stored.properties?.filter(({ key }) => !changedKeys.has(key)) ?? []
  return {
    ...stored,
    ...replaced,
    ...(accessTokenClaims && { accessTokenClaims: { ...stored.accessTokenClaims, ...accessTokenClaims } }),
    ...(properties && { properties: [...kept, ...properties] }),
  }
}
