import { X509Certificate } from 'node:crypto'
import { importJWK, type JWK } from 'jose'
import type { Answer } from '../http.ts'
import { type AsyncCheck, type Check, found } from './catalogue.ts'
import { brief, isObject, type Members } from './values.ts'

const parameters: Readonly<Record<string, readonly string[]>> = {
  RSA: ['n', 'e'],
  EC: ['x', 'y'],
  OKP: ['x'],
}
const secrets = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** The discovery document, as far as every module needs it. */
export function* discovery(answer: Answer): Check {
  const { json } = answer
  if (!isObject(json)) return yield found('S1 discovery', `HTTP ${answer.status}: ${brief(answer.text)}`)
  for (const name of ['issuer', 'token_endpoint', 'backchannel_authentication_endpoint']) {
    if (!URL.canParse(String(json[name]))) yield found('S1 endpoint', `${name} is ${brief(json[name])}`)
  }
  yield* aliases(json)
}

/** `mtls_endpoint_aliases` (RFC 8705 5). */
function* aliases(metadata: Members): Check {
  const { mtls_endpoint_aliases: given } = metadata
  if (given === undefined) return
  if (!isObject(given)) return yield found('S2 aliases', brief(given))
  for (const name of Object.keys(given)) {
    const wrong = !name.endsWith('_endpoint') || name === 'authorization_endpoint' || metadata[name] === undefined
    if (wrong) yield found('S2 aliases', `${name} has no place there`)
  }
}

/** The server's keys (RFC 7517). */
export async function* jwks(answer: Answer): AsyncCheck {
  const keys = isObject(answer.json) ? answer.json.keys : undefined
  if (!Array.isArray(keys)) return yield found('S4 jwks', `HTTP ${answer.status}: ${brief(answer.text)}`)
  for (const key of keys) {
    if (isObject(key)) yield* oneKey(key)
    else yield found('S4 key', brief(key))
  }
}

async function* oneKey(key: Members): AsyncCheck {
  const { kty, kid } = key
  const secret = secrets.filter((name) => name in key)
  if (secret.length > 0 || kty === 'oct') yield found('S4 private key', `key ${brief(kid)} publishes ${secret}`)
  if (kid === undefined) yield found('S4 kid', `a key of type ${brief(kty)} has no kid`)
  const needed = parameters[String(kty)]
  if (kty === 'oct') return
  if (needed === undefined) return yield found('S4 unknown type', `kty is ${brief(kty)}`)
  if (!needed.every((name) => typeof key[name] === 'string' && /^[\w-]+$/.test(String(key[name])))) {
    return yield found('S4 key', `key ${brief(kid)} lacks ${needed}, or is not in unpadded base64url`)
  }
  const bits = Buffer.from(String(kty === 'RSA' ? key.n : key.x), 'base64url').length * 8
  if (bits < (kty === 'RSA' ? 2048 : 160)) yield found('S4 size', `key ${brief(kid)} has ${bits} bits`)
  try {
    await importJWK(key as JWK, typeof key.alg === 'string' ? key.alg : algOf(key))
  } catch (error) {
    yield found('S4 key', `key ${brief(kid)} cannot be used: ${error}`)
  }
  if (key.x5c !== undefined && !matchesChain(key)) yield found('S4 key', `x5c of key ${brief(kid)} is of another key`)
}

function algOf({ kty, crv }: Members): string {
  if (kty === 'RSA') return 'PS256'
  const curves: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }
  return curves[String(crv)] ?? (String(crv).startsWith('X') ? 'ECDH-ES' : 'EdDSA')
}

function matchesChain(key: Members): boolean {
  try {
    const [first] = key.x5c as string[]
    const inside = new X509Certificate(Buffer.from(first ?? '', 'base64')).publicKey.export({ format: 'jwk' })
    return (parameters[String(key.kty)] ?? []).every((name) => inside[name as 'n'] === key[name])
  } catch {
    return false
  }
}
