import type { core } from 'zod'
import type { ChannelFailure } from '../contracts/channel.ts'
import type { ErrorCode } from '../contracts/errors.ts'

/** The usual HTTP status of every code. */
export const errorStatus = {
  invalid_request: 400,
  invalid_scope: 400,
  invalid_grant: 400,
  invalid_target: 400,
  invalid_client: 401,
  invalid_token: 401,
  insufficient_user_authentication: 401,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_token_type: 400,
  unknown_user_id: 400,
  expired_login_hint_token: 400,
  missing_user_code: 400,
  invalid_user_code: 400,
  invalid_binding_message: 400,
  invalid_authorization_details: 400,
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  access_denied: 403,
  server_error: 500,
  temporarily_unavailable: 503,
} as const satisfies Record<ErrorCode, number>

/** What may come with a `BackchannelError`. */
export interface BackchannelErrorOptions {
  /** What went wrong underneath, for the host's log. Never sent. */
  readonly cause?: unknown
  /** HTTP status in place of the code's usual one. */
  readonly status?: number
  /** Headers that belong to this answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** `error_uri` for the client's developer. */
  readonly uri?: string
}

/**
 * A refusal that the client is told: a code from the closed list and a sentence its developer can act on.
 * @example
 * ```ts
 * throw new BackchannelError('expired_login_hint_token', 'The login_hint_token has expired', { cause })
 * ```
 */
export class BackchannelError extends Error {
  override readonly name = 'BackchannelError'
  readonly code: ErrorCode
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly uri: string | undefined

  constructor(code: ErrorCode, description: string, options: BackchannelErrorOptions = {}) {
    super(description, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = options.status ?? errorStatus[code]
    this.headers = options.headers ?? {}
    this.uri = options.uri
  }

  /** The body of the answer: RFC 6749 5.2, nothing besides its three members. */
  toJSON(): { error: ErrorCode; error_description: string; error_uri?: string } {
    const body = { error: this.code, error_description: printable(this.message) }
    return this.uri === undefined ? body : { ...body, error_uri: this.uri }
  }
}

/**
 * Thrown by a channel's `send`: `undeliverable` and `blocked` are final, `try_later` is tried again.
 * @example
 * ```ts
 * throw new ChannelError('undeliverable', 'The device is not registered any more', { cause })
 * ```
 */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly failure: ChannelFailure

  constructor(failure: ChannelFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.failure = failure
  }
}

/** Anything thrown, as the error that the client is told. What we do not know becomes `server_error`, without text. */
export function asBackchannelError(thrown: unknown): BackchannelError {
  if (thrown instanceof BackchannelError) return thrown
  return new BackchannelError('server_error', 'The server could not handle the request', { cause: thrown })
}

/** What the client is told while something outside (store, host hook) is out of reach. Never "not found". */
export function unavailable(cause: unknown): BackchannelError {
  return new BackchannelError('temporarily_unavailable', 'A part of the server is out of reach; try again shortly', {
    cause,
    headers: { 'Retry-After': '5' },
  })
}

/** `error_description` may hold %x20-21 / %x23-5B / %x5D-7E only (CIBA Core 13). */
export function printable(text: string): string {
  return text.replaceAll('"', "'").replace(/[^\x20-\x21\x23-\x5B\x5D-\x7E]/g, '?')
}

/** The request is malformed, in words for the client's developer. */
export function invalidRequest(description: string, options?: BackchannelErrorOptions): BackchannelError {
  return new BackchannelError('invalid_request', description, options)
}

/** There is no request of that name, or none of the caller's. */
export function notFound(): BackchannelError {
  return invalidRequest('No such request', { status: 404 })
}

/** What is wrong with data that was sent or passed in: the name of the member, and the words of its check. */
export function issueText(issue: core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'is not valid'
  if (issue.code === 'unrecognized_keys') return `has an unknown member ${issue.keys.join(', ')}`
  const name = issue.path.join('.')
  return name === '' ? 'must be an object' : `${name} ${issue.message}`
}
