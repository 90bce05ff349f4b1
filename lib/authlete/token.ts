import { z } from 'zod'
import type { Call, CallWants, Client, ClientMetadata } from '../contracts/contracts.ts'
import { readJws } from '../core/crypto/jws.ts'
import { asBackchannelError, BackchannelError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import { present } from '../core/omitUndefined.ts'
import type { AuthorizationDetail, TokenWishes } from '../core/request.ts'
import { idTokenClaimNames } from '../protocol/authorization/claims.ts'
import type { About } from './about.ts'
import { callFrom, callMembers, type Place } from './call.ts'
import { anything, flag, list, number, readMembers, text } from './fields.ts'
import { answer, wrongCall } from './results.ts'
import { authzDetails, capitals } from './shapes.ts'

/** What tokens were made of. */
interface Grant {
  readonly client: ClientMetadata
  readonly subject: string
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly granted: { readonly scope: readonly string[]; readonly resources: readonly string[] }
  readonly claims?: Readonly<Record<string, unknown>>
  readonly grantId?: string
  readonly wishes: TokenWishes
}

/** An answer of the token endpoint. */
interface TokenAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>> | string
  readonly headers?: Readonly<Record<string, string>>
  readonly grant?: Grant
}

export interface TokenParts {
  readonly place: Place
  readonly clock: () => number
  readonly emit: Emit
  readonly about: About
  /** Checks what the caller asks of the tokens. */
  readTokenMembers(value: object): Pick<CallWants, 'tokens' | 'accessToken'>
  serveCall(call: Call): Promise<TokenAnswer>
  findClient(clientId: string): Promise<Client | undefined>
  /** Seconds that a refresh token lives. */
  refreshSeconds(grant: Grant): number
}

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
export function createToken(parts: TokenParts) {
  const { place, emit } = parts

  return async (body: unknown): Promise<object> => {
    const { parameters, ...handed } = readMembers(members, body)
    if (parameters === undefined) {
      const responseContent = JSON.stringify({ error: 'server_error' })
      return wrongCall('token', 'INTERNAL_SERVER_ERROR', 'parameters is missing', { responseContent })
    }
    try {
      const call = callFrom({ parameters, ...handed }, place, wantsOf(handed))
      const served = await parts.serveCall(call)
      const responseContent = typeof served.body === 'string' ? served.body : JSON.stringify(served.body)
      const { grant } = served
      if (grant === undefined || typeof served.body === 'string') {
        return answer('token', 'BAD_REQUEST', 'The client gets no tokens', { responseContent })
      }
      const grantType = call.form.values.get('grant_type') === 'refresh_token' ? 'REFRESH_TOKEN' : 'CIBA'
      const told = { grantType, ...(await madeOf(grant)), ...tokensIn(served.body, grant) }
      return answer('token', 'OK', 'Tokens are issued', { responseContent, ...told })
    } catch (thrown) {
      return refused(thrown)
    }
  }

  function wantsOf({ dpop: _, htm, htu, dpopNonceRequired, ...handed }: Partial<z.output<typeof members>>): CallWants {
    const { properties, accessToken, jwtAtClaims, accessTokenDuration, refreshTokenDuration } = handed
    const asked = present({ properties, accessToken, jwtAtClaims, accessTokenDuration, refreshTokenDuration })
    try {
      const wanted = parts.readTokenMembers(asked)
      return present({ ...wanted, method: htm, url: htu, nonceRequired: dpopNonceRequired })
    } catch (cause) {
      // the caller's fault, and none of the client's
      throw new BackchannelError('server_error', (cause as Error).message, { cause })
    }
  }

  async function madeOf(grant: Grant) {
    const { client, subject, scope, granted, resources, claims } = grant
    const known = await parts.findClient(client.client_id)
    return {
      ...parts.about(client),
      clientAuthMethod: capitals(known?.authMethod),
      subject,
      scopes: scope,
      resources: granted.resources,
      accessTokenResources: resources,
      authorizationDetails: authzDetails(grant.authorizationDetails),
      properties: grant.wishes.properties,
      grantId: grant.grantId,
      requestedIdTokenClaims: claims && idTokenClaimNames(claims),
    }
  }

  function tokensIn(body: Readonly<Record<string, unknown>>, grant: Grant) {
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = body
    const refreshSeconds = refreshToken === undefined ? undefined : parts.refreshSeconds(grant)
    const end = (seconds: unknown) => (typeof seconds === 'number' ? parts.clock() + seconds * 1000 : undefined)
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

  function refused(thrown: unknown): object {
    const error = asBackchannelError(thrown)
    emit({ type: 'token.refused', error: error.code, cause: thrown })
    if (error !== thrown) emit({ type: 'fault', cause: thrown })
    const action =
      error.status >= 500 ? 'INTERNAL_SERVER_ERROR' : error.code === 'invalid_client' ? 'INVALID_CLIENT' : 'BAD_REQUEST'
    return answer('token', action, error.message, {
      responseContent: JSON.stringify(error),
      dpopNonce: error.headers['DPoP-Nonce'],
    })
  }
}
