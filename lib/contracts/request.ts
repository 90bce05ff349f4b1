import type { DeliveryMode } from './clients.ts'

/**
 * The stored request, its statuses, and the moves between them (see `move` in `BackchannelStore`).
 * Everything here is plain JSON: a record may be written to any store and read back unchanged.
 */

/**
 * Where a request stands. Expired is not a status: it is read from `expiresAt` and the clock.
 *
 * `received`: a management ticket, validated but not issued. `pending`: issued, the user has not answered.
 * `approved` | `denied` | `failed`: answered. `redeemed`: tokens were collected at the token endpoint.
 * `delivering`: tokens to push were minted and wait for the client to say 2xx; back to `approved` when they are given up.
 * `delivered`: the client said it.
 */
export type RequestStatus =
  | 'received'
  | 'pending'
  | 'approved'
  | 'denied'
  | 'failed'
  | 'redeemed'
  | 'delivering'
  | 'delivered'

/** What the client asked, after validation. Never changes once the request is stored. */
export interface RequestDetails {
  /** Scope values in the client's order. */
  readonly scope: readonly string[]
  /** `acr_values`, in order of preference, unsupported ones dropped. */
  readonly acrValues?: readonly string[]
  /** Seconds since the login, at most: the client's `default_max_age`. */
  readonly maxAge?: number
  /** The ID token has to say when the login was: the client's `require_auth_time`. */
  readonly requireAuthTime?: true
  readonly bindingMessage?: string
  /** The JSON object of the `request_context` parameter (FAPI-CIBA 5.2.1, Transmit). */
  readonly requestContext?: Readonly<Record<string, unknown>>
  /** `resource` values (RFC 8707). */
  readonly resources?: readonly string[]
  /** `authorization_details` (RFC 9396), each checked against the schema of its type. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** The `claims` request member (OpenID Connect Core 5.5). */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Bearer for calls to the client's notification endpoint, sealed with the engine's secret. Ping and push only. */
  readonly sealedNotificationToken?: string
  /** The `auth_req_id` itself, sealed: pings and pushes name it, and links to a client's own page may. */
  readonly sealedAuthReqId?: string
  /** The client's notification endpoint as it was registered when the request was issued. Ping and push only. */
  readonly notificationEndpoint?: string
  /** Thumbprint of the DPoP key seen at the authentication request (RFC 9449 10). */
  readonly dpopJkt?: string
  /** Thumbprint of the client certificate seen at the authentication request (RFC 8705 3.1). */
  readonly certificateThumbprint?: string
  readonly grantManagementAction?: string
  readonly grantId?: string
  /** BCP 47 tag of the language the notice and the page are written in. */
  readonly locale?: string
}

/** One element of `authorization_details`. */
export interface AuthorizationDetail {
  readonly type: string
  readonly [member: string]: unknown
}

/** The user agreed. */
export interface Approval {
  readonly result: 'approved'
  /** Epoch milliseconds of the decision. */
  readonly at: number
  /** The host's name for the user, before pairwise. */
  readonly sub: string
  /** Epoch seconds of the user's login on the authentication device. */
  readonly authTime?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  /** What was granted. Never wider than what was asked, unless the host said so. */
  readonly scope: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly resources?: readonly string[]
  /** Everything else that a completion may say about the tokens to come. */
  readonly tokens?: TokenOverrides
}

/** What an approval, or a call for its tokens, may change of them. All optional. */
export interface TokenOverrides {
  /** `sub` of the ID token in place of the subject. */
  readonly idTokenSub?: string
  /** Extra ID token claims. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Extra members of the ID token's JWS header. */
  readonly idTokenHeader?: Readonly<Record<string, unknown>>
  /** Force `aud` of the ID token to be an array or a string. */
  readonly idTokenAudType?: 'array' | 'string'
  /** Names of the claims the user agreed to give. Derived from scope and `claims` when absent. */
  readonly consentedClaims?: readonly string[]
  /** Extra claims of a JWT access token. */
  readonly accessTokenClaims?: Readonly<Record<string, unknown>>
  /** Extra members of the token response; hidden ones stay with the server. */
  readonly properties?: readonly TokenProperty[]
  /** The access token to hand out instead of a minted one (push mode). Sealed with the engine's secret. */
  readonly sealedAccessToken?: string
  readonly accessTokenSeconds?: number
  readonly refreshTokenSeconds?: number
  readonly idTokenSeconds?: number
}

/** An extra member of the token response. */
export interface TokenProperty {
  readonly key: string
  readonly value: string
  /** Defaults to `false`: shown to the client as a member of the token response. */
  readonly hidden?: boolean
}

/** The user declined, or no usable answer will come. */
export interface Refusal {
  readonly result: 'denied' | 'failed'
  /** Epoch milliseconds of the decision. */
  readonly at: number
  /** A word for our events and the host: `user`, `not_me`, `undeliverable`, `cancelled`, … Never sent to the client. */
  readonly reason?: string
  /** `error_description` for the client. */
  readonly errorDescription?: string
  /** `error_uri` for the client. */
  readonly errorUri?: string
}

/** How a request was answered, as it is stored. */
export type Answer = Approval | Refusal

/** The stored request. */
export interface RequestRecord {
  /** Where the record is found: the first 16 characters of every handle that leads to it. Public. */
  readonly id: string
  readonly status: RequestStatus
  /** Whose it is, where several issuers share a store. Written by the engine. */
  readonly issuer?: string
  readonly clientId: string
  readonly deliveryMode: DeliveryMode
  /** Whom the client asked for: the host's subject. Absent when unknown users are hidden and no user was found. */
  readonly sub?: string
  /** SHA-256 (base64url) of the `auth_req_id`. Absent while `received`. */
  readonly authReqIdHash?: string
  /** SHA-256 of the handle in the approval link. */
  readonly linkHash?: string
  /** SHA-256 of the management ticket. A request with a ticket is completed and announced by the holder of the ticket. */
  readonly ticketHash?: string
  /** Tickets only: seconds that the request lives once it is issued. */
  readonly lifetimeSeconds?: number
  /** Tickets only: SHA-256 of the hint that its prompt was counted under, while the user had not been looked up. */
  readonly hintHash?: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** Epoch milliseconds. From here on the request is expired, whatever its status says. */
  readonly expiresAt: number
  /** Epoch milliseconds. The store may forget the record from here on. */
  readonly keptUntil: number
  /** Seconds a client has to leave between two polls. Grows with every early poll. */
  readonly intervalSeconds: number
  /** Epoch milliseconds of the last poll. */
  readonly lastPollAt?: number
  /** How often the client was told to slow down. */
  readonly slowDowns: number
  readonly details: RequestDetails
  readonly answer?: Answer
  /** The token response of a push request, sealed, while `delivering`; empty when it was delivered or given up. */
  readonly sealedDelivery?: string
}

/** What may change when a record moves from one status to the next. */
export type RecordChanges = Partial<
  Pick<
    RequestRecord,
    'authReqIdHash' | 'linkHash' | 'expiresAt' | 'keptUntil' | 'intervalSeconds' | 'answer' | 'sealedDelivery' | 'sub'
  >
>

/** One move: `from` → `to` with `changes`, at `now`. Refused when the status is another one, or the time is over. */
export interface Move {
  readonly from: RequestStatus
  readonly to: RequestStatus
  readonly changes?: RecordChanges
  /** Epoch milliseconds. The move is refused at or after the record's `expiresAt`. */
  readonly now: number
}

/** The stored side of a refresh token family: one record per grant, whichever token is current. */
export interface GrantRecord {
  /** Where the grant is found: the first 16 characters of each of its refresh tokens. */
  readonly id: string
  /** Public id of the request that it goes back to. */
  readonly request: string
  /** As in `RequestRecord`. */
  readonly issuer?: string
  readonly clientId: string
  readonly sub: string
  /** SHA-256 (base64url) of the refresh token that counts now. */
  readonly tokenHash: string
  /** SHA-256 of the one before, still good for an identical retry until `previousUntil` (a lost answer). */
  readonly previousHash?: string
  /** Epoch milliseconds. */
  readonly previousUntil?: number
  /** Epoch milliseconds. */
  readonly issuedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly details: RequestDetails
  readonly approval: Approval
  /** Key the tokens are bound to, if they are. */
  readonly dpopJkt?: string
  readonly certificateThumbprint?: string
}

/** One rotation of a refresh token: who holds `from` now, may hold `to` next. */
export interface Rotation {
  /** SHA-256 of the token that was shown. */
  readonly from: string
  /** SHA-256 of the token that takes its place. */
  readonly to: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Epoch milliseconds until which `from` may be shown once more. */
  readonly previousUntil: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** A request as a screen of the host's own may see it. */
export interface RequestState {
  /** The public id, as in events. */
  readonly request: string
  readonly status: RequestStatus | 'expired'
  readonly clientId: string
  /** Whom the client asked for. */
  readonly sub?: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: readonly string[]
  readonly bindingMessage?: string
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}
