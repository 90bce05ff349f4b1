import type { GrantAnswer, GrantCall } from '../../contracts/tokens.ts'
import { omitUndefined } from '../../core/json.ts'

/** What is used of `@node-oauth/oauth2-server` 5. */
export interface OAuth2ServerModule {
  readonly AbstractGrantType: abstract new (...args: never[]) => object
  readonly OAuthError: new (message: string, properties: { code: number; name: string }) => Error
}

/** What its grant types get and give. */
interface TokenRequest {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
}

interface GrantedToken {
  readonly accessToken: string
  readonly accessTokenExpiresAt: Date
  readonly refreshToken?: string
  readonly scope: string[]
  readonly client: unknown
  readonly user: { readonly id: string }
  /** `id_token` and other members of our answer; the server passes them on with `allowExtendedTokenAttributes`. */
  readonly [member: string]: unknown
}

/**
 * The CIBA grant as an extended grant type of `@node-oauth/oauth2-server` 5. The module is passed in.
 * @throws TypeError when the module or the engine is missing.
 * @example
 * ```ts
 * new OAuth2Server({
 *   model,
 *   allowExtendedTokenAttributes: true, // for the ID token
 *   requireClientAuthentication: { [cibaGrantType]: false }, // ours knows every method, and runs in any case
 *   extendedGrantTypes: { [cibaGrantType]: cibaGrant(OAuth2Server, router.backchannel) },
 * })
 * ```
 */
export function cibaGrant<Module extends OAuth2ServerModule>(
  module: Module,
  backchannel: { grantFor(call: GrantCall): Promise<GrantAnswer> },
): Module['AbstractGrantType'] {
  if (typeof module?.AbstractGrantType !== 'function' || typeof backchannel?.grantFor !== 'function') {
    throw new TypeError(
      'express-ciba: cibaGrant needs the module "@node-oauth/oauth2-server" and the engine: ' +
        'cibaGrant(OAuth2Server, router.backchannel)',
    )
  }
  const { AbstractGrantType, OAuthError } = module

  class CibaGrantType extends (AbstractGrantType as unknown as new (...args: unknown[]) => object) {
    async handle(request: TokenRequest, client: unknown): Promise<GrantedToken> {
      const { status, body, sub } = await backchannel.grantFor(callOf(request))
      if (status === 200) return tokenOf(body, client, sub)
      throw new OAuthError(String(body.error_description), { code: status, name: String(body.error) })
    }
  }
  return CibaGrantType as unknown as Module['AbstractGrantType']
}

function callOf({ body, headers }: TokenRequest): GrantCall {
  return {
    parameters: { ...(body as Record<string, unknown>) },
    authorization: headers?.authorization,
    dpop: headers?.dpop === undefined ? [] : [headers.dpop],
  }
}

/** Our answer as oauth2-server keeps tokens; it writes them out again in its own answer. */
function tokenOf(body: GrantAnswer['body'], client: unknown, sub = ''): GrantedToken {
  const { access_token, expires_in, refresh_token, scope, token_type, ...extra } = body
  return {
    ...extra,
    accessToken: String(access_token),
    accessTokenExpiresAt: new Date(Date.now() + Number(expires_in) * 1000),
    ...omitUndefined({ refreshToken: typeof refresh_token === 'string' ? refresh_token : undefined }),
    scope: String(scope).split(' '),
    client,
    user: { id: sub },
  }
}
