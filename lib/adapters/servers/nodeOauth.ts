import type { GrantAnswer, GrantCall } from '../../contracts/contracts.ts'

/** What is used of `@node-oauth/oauth2-server` 5. */
interface OAuth2ServerModule {
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
 * The CIBA grant as an extended grant type of `@node-oauth/oauth2-server` 5. The module is passed in:
 *
 * ```ts
 * new OAuth2Server({
 *   model,
 *   allowExtendedTokenAttributes: true, // for the ID token
 *   requireClientAuthentication: { [cibaGrantType]: false }, // ours knows every method, and runs in any case
 *   extendedGrantTypes: { [cibaGrantType]: cibaGrant(OAuth2Server, backchannel) },
 * })
 * ```
 */
export function cibaGrant<Module extends OAuth2ServerModule>(
  { AbstractGrantType, OAuthError }: Module,
  backchannel: { grantFor(call: GrantCall): Promise<GrantAnswer> },
): Module['AbstractGrantType'] {
  class CibaGrantType extends (AbstractGrantType as unknown as new (...args: unknown[]) => object) {
    async handle(request: TokenRequest, client: unknown): Promise<GrantedToken> {
      const {
        status,
        body,
        sub = '',
      } = await backchannel.grantFor({
        parameters: { ...(request.body as Record<string, unknown>) },
        authorization: request.headers?.authorization,
        dpop: request.headers?.dpop === undefined ? [] : [request.headers.dpop],
      })
      if (status !== 200)
        throw new OAuthError(String(body.error_description), { code: status, name: String(body.error) })
      const { access_token, expires_in, refresh_token, scope, token_type, ...extra } = body
      return {
        ...extra,
        accessToken: String(access_token),
        accessTokenExpiresAt: new Date(Date.now() + Number(expires_in) * 1000),
        ...(typeof refresh_token === 'string' ? { refreshToken: refresh_token } : {}),
        scope: String(scope).split(' '),
        client,
        user: { id: sub },
      }
    }
  }
  return CibaGrantType as unknown as Module['AbstractGrantType']
}
