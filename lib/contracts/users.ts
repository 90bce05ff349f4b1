import type { Awaitable, ClientMetadata } from './clients.ts'

/**
 * What names the user. `type` says how to read `value`:
 * `email`, `phone`, `user_id` from `login_hint` (declared by `request_context`, or recognised by its looks),
 * `sub` from a verified `id_token_hint` or the JSON `iss_sub` form, `login_hint_token` from a verified token.
 */
export interface Hint {
  readonly type: 'email' | 'phone' | 'user_id' | 'sub' | 'login_hint_token'
  readonly value: string
  /** Claims of the verified `login_hint_token` or `id_token_hint`. Absent: the client has named the user and shown nothing. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** A user of the host. Member names are those of OpenID Connect Core 5.1; further claims may stand beside them. */
export interface User {
  /** The host's stable name for the user, 1 to 255 visible ASCII characters, never reassigned. */
  readonly sub: string
  readonly name?: string
  /** Where e-mail notices go. Not used when `email_verified` is `false`. */
  readonly email?: string
  readonly email_verified?: boolean
  /** Where SMS notices go, E.164. Not used when `phone_number_verified` is `false`. */
  readonly phone_number?: string
  readonly phone_number_verified?: boolean
  /** BCP 47 language tag for notices and the page. */
  readonly locale?: string
  readonly [claim: string]: unknown
}

/**
 * The host's users. A hook that throws, or does not answer in time, answers 503; it is never read as "no such user".
 * @example
 * ```ts
 * const users: Users = {
 *   find: ({ hint }) => db.users.findBy(hint.type, hint.value),
 *   isActive: async ({ sub }) => (await db.users.findBy('sub', sub)) !== undefined,
 * }
 * ```
 */
export interface Users {
  /** Finds the user that a hint names. `undefined` (or `null`) answers `unknown_user_id`. */
  find(query: { readonly hint: Hint; readonly client: ClientMetadata }): Awaitable<User | undefined | null>
  /**
   * May this user act now? Asked at the request, the page, the approval, the redemption, each refresh, each push, and
   * when one of their tokens is introspected.
   * Defaults to yes. Answer `false` for locked, disabled and deleted accounts.
   */
  isActive?(query: { readonly sub: string }): Awaitable<boolean>
  /**
   * Claims for the ID token. `names`: those that scope and the `claims` member ask for; what else is returned is dropped.
   * Defaults to none.
   */
  claims?(query: {
    readonly sub: string
    readonly scope: readonly string[]
    readonly names: readonly string[]
  }): Awaitable<Readonly<Record<string, unknown>> | undefined | null>
  /** Does this user want a `user_code` before being asked? Defaults to yes where the client is registered for it. */
  needsUserCode?(query: { readonly user: User; readonly client: ClientMetadata }): Awaitable<boolean>
  /** Is this the user's code? Compare in constant time. Required when user codes are supported. */
  checkUserCode?(query: { readonly user: User; readonly userCode: string }): Awaitable<boolean>
}

/**
 * Verifies a `login_hint_token` and says whom it names. `undefined`: no user.
 * Throw `BackchannelError('expired_login_hint_token', …)` or `('invalid_request', …)` for a token that is no good.
 * @example
 * ```ts
 * const loginHintToken: LoginHintTokenVerifier = async ({ token }) => {
 *   const { email } = await directory.verify(token)
 *   return { type: 'email', value: email }
 * }
 * ```
 */
export type LoginHintTokenVerifier = (query: {
  readonly token: string
  readonly client: ClientMetadata
}) => Awaitable<Hint | undefined | null>
