import type { Request } from 'express'
import type { Awaitable } from './clients.ts'

/** Who is signed in on the authentication device. */
export interface SessionUser {
  /** The host's name for the user, as in `User`. */
  readonly sub: string
  /** Epoch seconds of the login. */
  readonly authTime?: number
  /** Authentication context class reached. */
  readonly acr?: string
  /** Authentication methods used (RFC 8176). */
  readonly amr?: readonly string[]
}

/** What the login has to reach before the user may decide. */
export interface LoginNeed {
  /** Wanted classes, in order of preference. */
  readonly acrValues?: readonly string[]
  /** One of `acrValues` (any class, where there are none) has to be reached, or the user cannot decide. */
  readonly essential?: true
  /** Seconds since the login, at most. */
  readonly maxAgeSeconds?: number
  /** The login has to be newer than the request. */
  readonly fresh?: true
  /** Language the page is in. */
  readonly locale?: string
}

/**
 * The host's login.
 * @example
 * ```ts
 * const session: Session = {
 *   current: ({ req }) => req.user && { sub: req.user.sub, authTime: req.session.authTime },
 *   loginUrl: ({ returnTo }) => `/login?next=${encodeURIComponent(returnTo)}`,
 * }
 * ```
 */
export interface Session {
  /** Who is signed in on this request, if anybody. */
  current(call: { readonly req: Request }): Awaitable<SessionUser | undefined | null>
  /** Where to sign in. `returnTo` is an absolute path on the issuer's origin to come back to afterwards. */
  loginUrl(query: { readonly returnTo: string; readonly need: LoginNeed }): string
  /** Checks the user's access token at `POST /auth/backchannel/complete`. Without it that endpoint is not served. */
  verifyToken?(query: { readonly token: string }): Awaitable<SessionUser | undefined | null>
}
