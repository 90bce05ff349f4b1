import type { AuthorizationDetail, TokenProperty } from '../../core/request.ts'

/** A JSON object, or its text. */
export type ObjectOrText = Readonly<Record<string, unknown>> | string

/**
 * A decision about a request, from a screen or job of the host's own: every member of Authlete's
 * `/backchannel/authentication/complete`, and a few more. Name the request by exactly one of its handles.
 */
export type Completion = (
  | { readonly authReqId: string; readonly ticket?: undefined }
  | { readonly ticket: string; readonly authReqId?: undefined }
) &
  (CompletedAuthorized | CompletedOtherwise)

/** The user agreed. */
export interface CompletedAuthorized {
  readonly result: 'AUTHORIZED'
  /** The host's name for the user who agreed; it has to be the one who was asked. With a ticket, it says who that is. */
  readonly subject: string
  /** `sub` of the ID token in place of the subject. */
  readonly sub?: string | undefined
  /** Epoch seconds of the user's login on the authentication device. Ignored unless positive. */
  readonly authTime?: number | undefined
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  /** Extra claims of the ID token. */
  readonly claims?: ObjectOrText | undefined
  /** Extra members of the token response; hidden ones are for the host's own issuer alone. */
  readonly properties?: readonly TokenProperty[] | undefined
  /** What is granted, `openid` always. Defaults to what was asked; more only with the option `widerScopes`. */
  readonly scopes?: readonly string[] | undefined
  /** The authorization details that are granted. Default to what was asked; never more. */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** The resources that tokens may be for. Default to what was asked; never more. */
  readonly resources?: readonly string[] | undefined
  /** Extra members of the ID token's JWS header. */
  readonly idtHeaderParams?: ObjectOrText | undefined
  /** The claims the user agreed to give. Default to what scope and `claims` ask for. */
  readonly consentedClaims?: readonly string[] | undefined
  /** Extra claims of JWT access tokens. */
  readonly jwtAtClaims?: ObjectOrText | undefined
  /** The access token to push in place of a minted one. Unguessable: 32 characters or more. Push mode only. */
  readonly accessToken?: string | undefined
  /** Seconds. Ignored unless positive. */
  readonly accessTokenDuration?: number | undefined
  /** Seconds. Ignored unless positive. */
  readonly refreshTokenDuration?: number | undefined
  /** Seconds. Ignored unless positive. */
  readonly idTokenDuration?: number | undefined
  /** Forces the type of the ID token's `aud`. */
  readonly idTokenAudType?: 'array' | 'string' | undefined
}

/** The user declined, or no usable answer will come. */
export interface CompletedOtherwise {
  readonly result: 'ACCESS_DENIED' | 'TRANSACTION_FAILED'
  /** Who declined; has to be the one who was asked. */
  readonly subject?: string | undefined
  /** For the client: printable ASCII without `"` and `\`. */
  readonly errorDescription?: string | undefined
  /** For the client: a page about the error. */
  readonly errorUri?: string | undefined
  /** A word for events: `user`, `timeout`, … Never sent to the client. */
  readonly reason?: string | undefined
}
