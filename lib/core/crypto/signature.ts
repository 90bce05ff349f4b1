import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import { fitsAlg } from './jwk.ts'
import type { SigningKey } from './signingKeys.ts'

// Node's own functions rather than jose, which calls the same OpenSSL by Web Crypto: with jose, a backchannel request with a
// client assertion takes 10 % more of the processor (row D of `npm run bench`; 703 against 636 µs, 24 pairs of runs). What may be
// verified with which key is decided in `jws.ts` and `jwk.ts`.

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

const macHashes: ReadonlyMap<string, string> = new Map([
  ['HS256', 'sha256'],
  ['HS384', 'sha384'],
  ['HS512', 'sha512'],
])

/**
 * Signs claims as a compact JWS. `alg`, `kid` and `typ` are ours, whatever else the header says.
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

/**
 * Does the signature belong to this text? No for a key that does not fit the algorithm. It is verified in a thread of the
 * pool, a MAC at once and in constant time.
 */
export async function isSignatureOf(text: string, signature: Buffer, key: KeyObject, alg: string): Promise<boolean> {
  if (!fitsAlg(key, alg)) return false
  const macHash = macHashes.get(alg)
  if (macHash !== undefined) {
    const mac = createHmac(macHash, key).update(text).digest()
    return mac.length === signature.length && timingSafeEqual(mac, signature)
  }
  const method = methods.get(alg)
  if (method === undefined || !hasFullLength(signature, key)) return false
  return new Promise((resolve, reject) => {
    verify(method.hash, Buffer.from(text), { key, ...method.options }, signature, (error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

/** OpenSSL takes an RSA signature without its leading zeros, RFC 8017 8.1.2 and 8.2.2 do not. */
function hasFullLength(signature: Buffer, { asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType !== 'rsa' || signature.length === Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
