import { constants, type KeyObject, sign } from 'node:crypto'
import { fitsAlg } from './jwk.ts'
import type { SigningKey } from './signingKeys.ts'

/** How Node signs with an algorithm of RFC 7518 3.1 or RFC 8037. */
interface Method {
  readonly hash: string | null
  readonly options?: { readonly padding?: number; readonly saltLength?: number; readonly dsaEncoding?: 'ieee-p1363' }
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const plain = { dsaEncoding: 'ieee-p1363' } as const

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['RS256', { hash: 'sha256' }],
  ['RS384', { hash: 'sha384' }],
  ['RS512', { hash: 'sha512' }],
  ['PS256', { hash: 'sha256', options: pss }],
  ['PS384', { hash: 'sha384', options: pss }],
  ['PS512', { hash: 'sha512', options: pss }],
  ['ES256', { hash: 'sha256', options: plain }],
  ['ES384', { hash: 'sha384', options: plain }],
  ['ES512', { hash: 'sha512', options: plain }],
  ['EdDSA', { hash: null }],
  ['Ed25519', { hash: null }],
])

/**
 * Signs claims as a compact JWS. `alg`, `kid` and `typ` are ours, whatever else the header says. Node's own `sign` does
 * it rather than jose, which signs by Web Crypto: the same OpenSSL, at half the cost of a token.
 * @throws TypeError when the key does not fit its algorithm.
 */
export async function signJwt(
  { alg, kid, key }: SigningKey,
  typ: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const text = `${encode({ ...header, alg, kid, typ })}.${encode(claims)}`
  return `${text}.${await signText(text, key, alg)}`
}

/**
 * Signs text, in base64url. It is done in a thread of the pool: with RSA it takes as long as whole requests.
 * @throws TypeError when the key does not fit the algorithm.
 */
export function signText(text: string, key: KeyObject, alg: string): Promise<string> {
  const method = methods.get(alg)
  if (method === undefined || !fitsAlg(key, alg)) throw new TypeError(`this key cannot sign with ${alg}`)
  return new Promise((resolve, reject) => {
    sign(method.hash, Buffer.from(text), { key, ...method.options }, (error, signature) => {
      if (error === null) resolve(signature.toString('base64url'))
      else reject(error)
    })
  })
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
