import type { X509Certificate } from 'node:crypto'
import type { Awaitable, ClientMetadata } from './clients.ts'
import type { AuthorizationDetail, TokenOverrides } from './request.ts'

/** The key that tokens are bound to; empty for bearer tokens. */
export interface KeyBinding {
  /** Thumbprint of the DPoP key (RFC 9449 6). */
  readonly dpopJkt?: string
  /** Thumbprint of the client certificate (RFC 8705 3). */
  readonly certificateThumbprint?: string
}

/** What was granted, to whom, and how the tokens shall look: all that a maker of tokens has to know. */
export interface Grant {
  /** Public id of the request, as in events. Refreshed tokens have the one of the request they go back to. */
  readonly request: string
  readonly clientId: string
  readonly client: ClientMetadata
  /** The host's name for the user. */
  readonly subject: string
  /** The user's name for this client: `sub` of every token, unless the approval names another for the ID token. */
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
  readonly binding: KeyBinding
  /** What the approval, or the call for the tokens, changes of them. */
  readonly overrides: Omit<TokenOverrides, 'sealedAccessToken'>
  /** The `auth_req_id`, for tokens that are pushed: their ID token has to name it (CIBA Core 10.3.1). */
  readonly authReqId?: string
  /** The access token that the approval gave, to be pushed in place of a minted one. */
  readonly accessToken?: string
}

/** What the user agreed to. */
export interface Granted {
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** The token endpoint's answer (RFC 6749 5.1, OpenID Connect Core 3.1.3.3). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in: number
  readonly id_token?: string
  readonly refresh_token?: string
  readonly scope: string
  readonly authorization_details?: readonly AuthorizationDetail[]
  readonly [member: string]: unknown
}

/** Tokens that the host made: the members of a token response (RFC 6749 5.1). */
export interface IssuedTokens {
  readonly access_token: string
  /** Defaults to what the grant is bound to: `DPoP` for a DPoP key, else `Bearer`. */
  readonly token_type?: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in?: number
  readonly refresh_token?: string
  /** Defaults to one that is made here, with the hash of the access token in it. */
  readonly id_token?: string
  /** Space-separated. Defaults to what was granted. */
  readonly scope?: string
  readonly [member: string]: unknown
}

/**
 * Makes tokens in place of ours. `grant` says for whom, for what, and bound to which key.
 * @example
 * ```ts
 * const issue: IssueTokens = async (grant) => ({ access_token: await myServer.accessToken(grant), expires_in: 600 })
 * ```
 */
export type IssueTokens = (grant: Grant) => Awaitable<IssuedTokens>

/**
 * Makes an access token of the host's own. `undefined`: a JWT is made.
 * @example
 * ```ts
 * const accessToken: MakeAccessToken = ({ subject, scope }) => opaqueTokens.create(subject, scope)
 * ```
 */
export type MakeAccessToken = (grant: Grant) => Awaitable<string | undefined>

/**
 * Does this grant get a refresh token?
 * @example
 * ```ts
 * const issueRefreshToken: IssueRefreshToken = ({ client, scope }) => client.trusted === true || scope.includes('sync')
 * ```
 */
export type IssueRefreshToken = (grant: Grant) => Awaitable<boolean>

/** Seconds, for every client or client by client; `undefined` leaves it at the default. */
export type Seconds = number | ((query: { readonly client: ClientMetadata }) => number | undefined)

/** Claim names by scope value. */
export type ScopeClaims = Readonly<Record<string, readonly string[]>>

/** What is known of an active token (RFC 7662 2.2). */
export type Introspection = { readonly active: boolean; readonly [member: string]: unknown }

/**
 * May this client look at that token?
 * @example
 * ```ts
 * const mayIntrospect: MayIntrospect = ({ client, token }) => token.aud === client.api
 * ```
 */
export type MayIntrospect = (query: {
  readonly client: ClientMetadata
  readonly token: Introspection
}) => Awaitable<boolean>

/** An API that access tokens can be for. */
export interface Resource {
  /** Scope values that mean something there; others stay out of its access tokens. Defaults to all. */
  readonly scopes?: readonly string[]
}

/** The APIs by their URI, or a function that knows them. */
export type Resources =
  | Readonly<Record<string, Resource>>
  | ((query: { readonly resource: string; readonly client: ClientMetadata }) => Awaitable<Resource | undefined | null>)

/** A zod schema (3 or 4) of a whole element, `type` included. Make it strict: unknown fields have to be refused. */
export interface DetailSchema {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: unknown }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/** One type of authorization details. */
export interface DetailType {
  readonly schema: DetailSchema
  /** Is what is granted no more than what was asked? Defaults to: they are equal. */
  readonly isWithin?: (query: { readonly granted: AuthorizationDetail; readonly asked: AuthorizationDetail }) => boolean
}

/**
 * The types on offer, by name; a schema alone will do.
 * @example
 * ```ts
 * const authorizationDetails: DetailTypes = {
 *   payment_initiation: {
 *     schema: z.strictObject({ type: z.literal('payment_initiation'), amount: z.number(), iban: z.string() }),
 *     isWithin: ({ granted, asked }) => granted.iban === asked.iban && Number(granted.amount) <= Number(asked.amount),
 *   },
 * }
 * ```
 */
export type DetailTypes = Readonly<Record<string, DetailSchema | DetailType>>

/** The answer to a token request, for a route of the host's own. */
export interface GrantAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** The user whose tokens they are; only with status 200. */
  readonly sub?: string
}

/** A token request, freed from its server. */
export interface GrantCall {
  /** The form. An array is a repeated parameter. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Value of the `Authorization` header. */
  readonly authorization?: string | undefined
  /** Values of the `DPoP` header. */
  readonly dpop?: readonly string[]
  /** Client certificate, its chain checked by the caller. */
  readonly certificate?: X509Certificate
  /** Aborted when the client goes away. Without it, a poll is never held open (option `polling.holdSeconds`). */
  readonly signal?: AbortSignal
}
