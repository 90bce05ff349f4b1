import type { AuthorizationDetail, TokenOverrides } from './request.ts'
import type { SessionUser } from './session.ts'

/** An approval, given by code of the host's own. */
export interface ApproveInput {
  /** The request: its `auth_req_id`, the handle of its link, or its public id as in events. */
  readonly request: string
  /** The user who agreed, who has to be the one who was asked, and the login by which they did. */
  readonly by: SessionUser
  /** What is granted, `openid` always. Defaults to what was asked; more only with the option `approval.widerScopes`. */
  readonly scope?: readonly string[] | undefined
  /** The authorization details that are granted. Default to what was asked; never more. */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** The resources that tokens may be for. Default to what was asked; never more. */
  readonly resources?: readonly string[] | undefined
  /** What is to be different about the tokens. Defaults to nothing. */
  readonly tokens?: TokenChanges | undefined
}

/** What an approval may change of the tokens to come. */
export interface TokenChanges extends Omit<TokenOverrides, 'sealedAccessToken'> {
  /** The access token to push in place of a minted one. Unguessable: 32 characters or more. Push mode only. */
  readonly accessToken?: string | undefined
}

/** A denial, given by code of the host's own. */
export interface DenyInput {
  /** The request: its `auth_req_id`, the handle of its link, or its public id as in events. */
  readonly request: string
  /** The user who declined, who has to be the one who was asked. Left out: the host declines by itself. */
  readonly by?: Pick<SessionUser, 'sub'> | undefined
  /** A word for events: `user`, `not_me`, … Never sent to the client. Defaults to none. */
  readonly reason?: string | undefined
  /** For the client: printable ASCII without `"` and `\`. Defaults to "The user declined". */
  readonly errorDescription?: string | undefined
  /** For the client: a page about the error. Defaults to none. */
  readonly errorUri?: string | undefined
}

/** The end of a request that no usable answer will come to. */
export interface FailInput {
  /** The request: its `auth_req_id`, the handle of its link, or its public id as in events. */
  readonly request: string
  /** A word for events: `timeout`, `undeliverable`, … Never sent to the client. */
  readonly reason: string
  /** For the client: printable ASCII without `"` and `\`. Defaults to "The request ended without an answer". */
  readonly errorDescription?: string | undefined
  /** For the client: a page about the error. Defaults to none. */
  readonly errorUri?: string | undefined
}

/** A client, and a user whom it asks: what `block` and `unblock` take. */
export interface Pair {
  readonly clientId: string
  /** The host's name for the user. */
  readonly sub: string
}
