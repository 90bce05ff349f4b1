import type { Client, ClientMetadata } from '../../contracts/contracts.ts'
import { present } from '../../core/omitUndefined.ts'
import type { Approval, AuthorizationDetail, RequestDetails, TokenWishes } from '../../core/request.ts'
import type { Binding } from '../authorization/keyBinding.ts'

/** What was granted, to whom, and how the tokens shall look: all that a maker of tokens has to know. */
export interface Grant {
  /** Public id of the request, as in events. Refreshed tokens have the one of the request they go back to. */
  readonly request: string
  readonly clientId: string
  readonly client: ClientMetadata
  /** The host's name for the user. */
  readonly subject: string
  /** The user's name for this client: `sub` of every token, unless the completion asked for another in the ID token. */
  readonly sub: string
  /** Epoch milliseconds of the user's decision. */
  readonly approvedAt: number
  /** Epoch seconds of the user's login on the authentication device. */
  readonly authTime?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  /** What the access token is good for. */
  readonly scope: readonly string[]
  /** `resource` values these tokens are for (RFC 8707). Empty: the default audience. */
  readonly resources: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** What was granted in all, where the token request asked for less. A refresh token is good for this. */
  readonly granted: Granted
  /** The `claims` member of the request (OpenID Connect Core 5.5). */
  readonly claims?: Readonly<Record<string, unknown>>
  /** The `request_context` of the request. */
  readonly requestContext?: Readonly<Record<string, unknown>>
  readonly grantManagementAction?: string
  readonly grantId?: string
  /** The key the tokens are bound to; empty for bearer tokens. */
  readonly binding: Binding
  /** What the completion asked of the tokens. */
  readonly wishes: Omit<TokenWishes, 'sealedAccessToken'>
  /** The `auth_req_id`, for tokens that are pushed: their ID token has to name it (CIBA Core 10.3.1). */
  readonly authReqId?: string
  /** The access token that the completion gave, to be pushed in place of a minted one. */
  readonly accessToken?: string
}

/** What the user agreed to. */
export interface Granted {
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** Where a grant comes from: a stored request, or a stored refresh token. */
export interface GrantSource {
  readonly id: string
  readonly details: RequestDetails
  readonly approval: Approval
}

export type GrantOf = (
  source: GrantSource,
  client: Client,
  binding: Binding,
  push?: Pick<Grant, 'authReqId' | 'accessToken'>,
) => Grant

/** Puts together what was asked, what was answered and who collects. */
export function createGrantOf(nameFor: (client: ClientMetadata, sub: string) => string): GrantOf {
  return ({ id, details, approval }, { metadata }, binding, push = {}) => {
    const { claims, requestContext, grantManagementAction, grantId } = details
    const { sub, at, authTime, acr, amr, scope, tokens = {} } = approval
    const { sealedAccessToken: _, ...wishes } = tokens
    const granted: Granted = present({
      scope,
      resources: approval.resources ?? details.resources ?? [],
      authorizationDetails: approval.authorizationDetails ?? details.authorizationDetails,
    })
    return present({
      request: id,
      clientId: metadata.client_id,
      client: metadata,
      subject: sub,
      sub: nameFor(metadata, sub),
      approvedAt: at,
      authTime,
      acr,
      amr,
      ...granted,
      granted,
      claims,
      requestContext,
      grantManagementAction,
      grantId,
      binding,
      wishes,
      ...push,
    })
  }
}
