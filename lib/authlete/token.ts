import { z } from 'zod'
import type { Grant } from '../contracts/tokens.ts'
import type { RegisteredClient } from '../core/client.ts'
import type { Context } from '../core/context.ts'
import { readJws } from '../core/crypto/jws.ts'
import { asBackchannelError, BackchannelError } from '../core/errors.ts'
import { errorOf } from '../core/events.ts'
import type { CallOverrides } from '../core/http/call.ts'
import { omitUndefined } from '../core/json.ts'
import { idTokenClaimNames } from '../protocol/authorization/claims.ts'
import { serveCall } from '../protocol/token/endpoint.ts'
import { lifetimesOf } from '../protocol/token/grant.ts'
import { callFrom, callMembers } from './call.ts'
import { anything, flag, list, number, readMembers, text } from './fields.ts'
import type { ManagementOptions } from './options.ts'
import { answer, serverError, wrongCall } from './results.ts'
import { about, authzDetails, capitals } from './shapes.ts'
import { readTokenMembers } from './tokenMembers.ts'

const members = z.object({
  ...callMembers,
  properties: list,
  dpop: text,
  htm: text,
  htu: text,
  dpopNonceRequired: flag,
  accessToken: text,
  jwtAtClaims: anything,
  accessTokenDuration: number,
  refreshTokenDuration: number,
})

/** `/auth/token`: our token endpoint, for a server that has its own in front. */
export async function tokenApi(ctx: Context, options: ManagementOptions, body: unknown): Promise<object> {
  const { parameters, ...handed } = readMembers(members, body)
  if (parameters === undefined) {
    return wrongCall('token', 'INTERNAL_SERVER_ERROR', 'parameters is missing', { responseContent: serverError })
  }
  try {
    const call = callFrom(ctx, { parameters, ...handed }, ctx.urls.token, overridesOf(handed))
    const { body, issued } = await serveCall(ctx, call)
    const responseContent = JSON.stringify(body)
    if (issued === undefined) return answer('token', 'BAD_REQUEST', 'The client gets no tokens', { responseContent })
    const { grant, client } = issued
    return answer('token', 'OK', 'Tokens are issued', {
      responseContent,
      grantType: call.form.values.get('grant_type') === 'refresh_token' ? 'REFRESH_TOKEN' : 'CIBA',
      ...grantMembers(options, grant, client),
      ...tokensIn(ctx, body, grant),
    })
  } catch (thrown) {
    return refused(ctx, thrown)
  }
}

type Handed = Omit<z.output<typeof members>, 'parameters'>

function overridesOf({ htm, htu, dpopNonceRequired, ...handed }: Handed): CallOverrides {
  const { properties, accessToken, jwtAtClaims, accessTokenDuration, refreshTokenDuration } = handed
  const asked = omitUndefined({ properties, accessToken, jwtAtClaims, accessTokenDuration, refreshTokenDuration })
  try {
    return omitUndefined({
      ...readTokenMembers(asked),
      method: htm,
      url: htu,
      nonceRequired: dpopNonceRequired,
    })
  } catch (cause) {
    // a mistake of the caller, not of the client
    throw new BackchannelError('server_error', (cause as Error).message, { cause })
  }
}

/** What the tokens were made of. */
function grantMembers(options: ManagementOptions, grant: Grant, client: RegisteredClient) {
  return {
    ...about(options, grant.client),
    clientAuthMethod: capitals(client.authMethod),
    subject: grant.subject,
    scopes: grant.scope,
    resources: grant.granted.resources,
    accessTokenResources: grant.resources,
    authorizationDetails: authzDetails(grant.authorizationDetails),
    properties: grant.overrides.properties,
    grantId: grant.grantId,
    requestedIdTokenClaims: grant.claims && idTokenClaimNames(grant.claims),
  }
}

function tokensIn(ctx: Context, body: Readonly<Record<string, unknown>>, grant: Grant) {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = body
  const refreshSeconds =
    refreshToken === undefined ? undefined : lifetimesOf(ctx, grant.client, grant.overrides).refreshTokenSeconds
  const end = (seconds: unknown) => (typeof seconds === 'number' ? ctx.clock() + seconds * 1000 : undefined)
  return {
    accessToken,
    accessTokenDuration: seconds,
    accessTokenExpiresAt: end(seconds),
    jwtAccessToken: typeof accessToken === 'string' && readJws(accessToken) !== undefined ? accessToken : undefined,
    refreshToken,
    refreshTokenDuration: refreshSeconds,
    refreshTokenExpiresAt: end(refreshSeconds),
    refreshTokenScopes: refreshToken === undefined ? undefined : grant.granted.scope,
    idToken: body.id_token,
  }
}

function refused(ctx: Context, thrown: unknown): object {
  ctx.emit({ type: 'token.refused', error: asBackchannelError(thrown).code, cause: thrown })
  const error = errorOf(ctx.emit, thrown)
  const action =
    error.status >= 500 ? 'INTERNAL_SERVER_ERROR' : error.code === 'invalid_client' ? 'INVALID_CLIENT' : 'BAD_REQUEST'
  return answer('token', action, error.message, {
    responseContent: JSON.stringify(error),
    dpopNonce: error.headers['DPoP-Nonce'],
  })
}
