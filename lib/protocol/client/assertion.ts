import { createSecretKey, type KeyObject } from 'node:crypto'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { hashOf } from '../../core/crypto/handles.ts'
import { macBytes } from '../../core/crypto/jwk.ts'
import { asymmetricAlgs, hmacAlgs, isSignedBy, type Jws, readJws } from '../../core/crypto/jws.ts'
import { once, rememberedUntil } from '../../core/replay.ts'
import { assertionAlgs } from './algs.ts'
import type { Verdict } from './credentials.ts'

/** `JWT` and none are unspecific; every other type names another kind of JWT (RFC 8725 3.12, RFC 10070 4). */
const types: readonly (string | undefined)[] = [undefined, 'jwt', 'client-authentication+jwt']

/** Seconds that a clock may be ahead of ours. */
const skewSeconds = 60

/** Checks `client_secret_jwt` and `private_key_jwt`: the client's, for us, new (RFC 7523 3, OpenID Connect Core 9). */
export async function checkAssertion(ctx: Context, assertion: string, client: RegisteredClient): Promise<Verdict> {
  const jws = readJws(assertion)
  if (jws === undefined) return 'the assertion is not a signed JWT in compact form'
  if (!mayUse(ctx, jws.alg, client)) return 'the client may not sign assertions with this algorithm'
  if (!types.includes(jws.typ)) return 'the assertion is a JWT of another type'
  const wrong = wrongIn(ctx, jws.claims, client)
  if (wrong !== undefined) return wrong
  if (!(await isSignedBy(jws, await keysOf(ctx, client, jws)))) return 'no key of the client verifies the assertion'
  const { jti, exp } = jws.claims as { jti: string; exp: number }
  if (await once(ctx, 'assertion', hashOf(JSON.stringify([client.id, jti])), rememberedUntil(exp))) return true
  ctx.emit({ type: 'replay.seen', clientId: client.id, what: 'assertion' })
  return 'the assertion was used before'
}

function mayUse(ctx: Context, alg: string, { authMethod, metadata }: RegisteredClient): boolean {
  const family: readonly string[] = authMethod === 'client_secret_jwt' ? hmacAlgs : asymmetricAlgs
  const registered = metadata.token_endpoint_auth_signing_alg
  return family.includes(alg) && assertionAlgs(ctx).includes(alg) && (registered === undefined || registered === alg)
}

async function keysOf(ctx: Context, client: RegisteredClient, jws: Jws): Promise<readonly KeyObject[]> {
  if (client.authMethod !== 'client_secret_jwt') return ctx.clientKeys.verificationKeys(client, jws)
  const key = Buffer.from(client.metadata.client_secret ?? '')
  return key.length < macBytes(jws.alg) ? [] : [createSecretKey(key)]
}

function wrongIn(
  ctx: Context,
  { iss, sub, aud, exp, iat, nbf, jti }: Jws['claims'],
  client: RegisteredClient,
): string | undefined {
  const now = ctx.clock() / 1000
  const maxSeconds = ctx.settings.clientAuth.assertionMaxSeconds
  if (iss !== client.id || sub !== client.id) return 'iss and sub of the assertion are not both the client_id'
  if (!isForUs(ctx, aud)) return 'aud of the assertion is not accepted here'
  if (typeof exp !== 'number' || exp <= now) return 'exp of the assertion is missing or over'
  if (exp > now + maxSeconds + skewSeconds) return `the assertion lives for more than ${maxSeconds} s`
  if (isLater(iat, now + skewSeconds) || isLater(nbf, now + skewSeconds)) {
    return 'iat or nbf of the assertion is in the future'
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > 256) return 'jti of the assertion is missing or too long'
  return undefined
}

function isForUs(ctx: Context, aud: unknown): boolean {
  if (!Array.isArray(aud)) return isAudience(ctx, aud)
  if (ctx.rules.audienceAsString) return false
  // where the issuer is the only audience, no other may stand beside it (RFC 10070 4)
  if (isIssuerOnly(ctx) && aud.length !== 1) return false
  return aud.some((each) => isAudience(ctx, each))
}

/** The issuer; and the endpoints with their aliases over mutual TLS, unless the issuer alone is allowed. */
function isAudience(ctx: Context, audience: unknown): boolean {
  if (typeof audience !== 'string') return false
  if (audience === ctx.settings.issuer) return true
  if (isIssuerOnly(ctx)) return false
  return ctx.aliases.has(audience) || Array.from(ctx.aliases.values()).includes(audience)
}

function isIssuerOnly({ settings }: Context): boolean {
  return settings.clientAuth.assertionAudience === 'issuer'
}

/** Absent is fine; anything that is not a number is not. */
function isLater(time: unknown, limit: number): boolean {
  return time !== undefined && !(typeof time === 'number' && time <= limit)
}
