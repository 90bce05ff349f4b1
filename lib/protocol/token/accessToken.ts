import type { Grant, KeyBinding } from '../../contracts/tokens.ts'
import type { Context } from '../../core/context.ts'
import { randomText } from '../../core/crypto/handles.ts'
import { signJwt } from '../../core/crypto/signature.ts'

/**
 * Makes a JWT access token (RFC 9068). Its `jti` begins with the public id of the request it goes back to.
 * @param iat Epoch seconds.
 */
export async function makeAccessToken(ctx: Context, grant: Grant, iat: number, seconds: number): Promise<string> {
  const key = ctx.signingKeys.forAlg(undefined)
  if (key === undefined) throw new Error('no signing key for access tokens')
  return signJwt(key, 'at+jwt', {
    ...grant.overrides.accessTokenClaims,
    iss: ctx.settings.issuer,
    sub: grant.sub,
    aud: oneOrAll(grant.resources) ?? ctx.settings.tokens.audience,
    iat,
    exp: iat + seconds,
    jti: `${grant.request}.${randomText(16)}`,
    client_id: grant.clientId,
    scope: grant.scope.join(' '),
    auth_time: grant.authTime,
    acr: grant.acr,
    amr: grant.amr,
    authorization_details: grant.authorizationDetails,
    cnf: confirmation(grant.binding),
  })
}

/** `cnf` of a bound access token (RFC 8705 3.1, RFC 9449 6.1). */
function confirmation({ dpopJkt, certificateThumbprint }: KeyBinding): Record<string, string> | undefined {
  if (dpopJkt !== undefined) return { jkt: dpopJkt }
  return certificateThumbprint === undefined ? undefined : { 'x5t#S256': certificateThumbprint }
}

function oneOrAll(values: readonly string[]): string | readonly string[] | undefined {
  return values.length > 1 ? values : values[0]
}
