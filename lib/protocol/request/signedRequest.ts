import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { invalidRequest } from '../../core/errors.ts'
import { checkJson } from '../../core/json.ts'
import { once, rememberedUntil } from '../../core/replay.ts'
import { clientAlgs } from '../client/algs.ts'

/** Seconds a request may live, and seconds ago it may have begun (FAPI-CIBA, FAPI 1 Advanced 5.2.2). */
const maxLifeSeconds = 3_600
/** Seconds a clock may be ahead of ours. */
const skewSeconds = 60

/**
 * Reads the claims of a signed `request` (CIBA Core 7.1.1). They are good once.
 * @throws BackchannelError `invalid_request`, whatever is wrong with it.
 */
export async function readSignedRequest(
  ctx: Context,
  request: string,
  client: RegisteredClient,
): Promise<Jws['claims']> {
  const { claims } = await verify(ctx, request, client)
  const expiry = checkClaims(ctx, claims, client)
  const id = hashOf(JSON.stringify([client.id, claims.jti]))
  if (await once(ctx, 'request', id, rememberedUntil(expiry))) return claims
  ctx.emit({ type: 'replay.seen', clientId: client.id, what: 'request' })
  throw invalidRequest('This request was sent before; sign a new one for each attempt')
}

async function verify(ctx: Context, request: string, client: RegisteredClient): Promise<Jws> {
  const registered = client.metadata.backchannel_authentication_request_signing_alg
  if (registered === undefined) throw invalidRequest('This client is not registered for signed requests')
  const jws = readJws(request)
  if (jws === undefined) throw invalidRequest('request is not a signed JWT in compact form')
  if (jws.alg !== registered || !clientAlgs(ctx).includes(jws.alg)) {
    throw invalidRequest('request is not signed with the registered algorithm')
  }
  if (jws.typ !== undefined && jws.typ !== 'jwt' && jws.typ !== 'oauth-authz-req+jwt') {
    throw invalidRequest('request is a JWT of another type')
  }
  if (!(await isSignedBy(jws, await ctx.clientKeys.verificationKeys(client, jws)))) {
    throw invalidRequest('The signature of request is not valid')
  }
  return jws
}

/** @returns `exp`, in epoch seconds */
function checkClaims(ctx: Context, claims: Jws['claims'], client: RegisteredClient): number {
  const { iss, aud, jti, sub } = claims
  const { issuer } = ctx.settings
  if (iss !== client.id) throw invalidRequest('iss of request must be the client_id')
  if (aud !== issuer && !(Array.isArray(aud) && aud.includes(issuer))) {
    throw invalidRequest('aud of request must contain the issuer')
  }
  const expiry = checkTimes(claims, ctx.clock() / 1000)
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) {
    throw invalidRequest('jti of request must be 1 to 256 characters')
  }
  // RFC 9101 10.8: a request object must never do as a client assertion
  if (sub === client.id) throw invalidRequest('sub of request must not be the client_id')
  if ('request' in claims || 'request_uri' in claims) {
    throw invalidRequest('request must not contain another request')
  }
  try {
    checkJson(claims)
  } catch (thrown) {
    throw invalidRequest(`request ${(thrown as Error).message}`)
  }
  return expiry
}

/**
 * @param now Epoch seconds.
 * @returns `exp`, in epoch seconds
 */
function checkTimes({ exp, nbf, iat }: Jws['claims'], now: number): number {
  if (typeof exp !== 'number' || exp <= now) throw invalidRequest('exp of request must be in the future')
  if (typeof nbf !== 'number' || nbf > now + skewSeconds) throw invalidRequest('nbf of request must be reached')
  if (nbf < now - maxLifeSeconds || exp - nbf > maxLifeSeconds) {
    throw invalidRequest('request must live for 60 minutes at most')
  }
  if (typeof iat !== 'number' || iat > now + skewSeconds) {
    throw invalidRequest('iat of request must be a time in the past')
  }
  return exp
}
