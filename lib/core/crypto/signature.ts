import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'

/** How an algorithm of RFC 7518 3.1 or RFC 8037 is carried out. */
interface Way {
  /** Type of the key, and its curve where the type has several. */
  readonly key: 'rsa' | 'ec' | 'ed25519' | 'secret'
  readonly curve?: string
  readonly hash: string | null
  readonly options?: { readonly padding?: number; readonly saltLength?: number; readonly dsaEncoding?: 'ieee-p1363' }
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const plain = { dsaEncoding: 'ieee-p1363' } as const

/** Node's own functions rather than the Web Crypto ones that jose uses: the same OpenSSL, at half the cost a token. */
const ways: Readonly<Record<string, Way>> = {
  RS256: { key: 'rsa', hash: 'sha256' },
  RS384: { key: 'rsa', hash: 'sha384' },
  RS512: { key: 'rsa', hash: 'sha512' },
  PS256: { key: 'rsa', hash: 'sha256', options: pss },
  PS384: { key: 'rsa', hash: 'sha384', options: pss },
  PS512: { key: 'rsa', hash: 'sha512', options: pss },
  ES256: { key: 'ec', curve: 'prime256v1', hash: 'sha256', options: plain },
  ES384: { key: 'ec', curve: 'secp384r1', hash: 'sha384', options: plain },
  ES512: { key: 'ec', curve: 'secp521r1', hash: 'sha512', options: plain },
  EdDSA: { key: 'ed25519', hash: null },
  Ed25519: { key: 'ed25519', hash: null },
  HS256: { key: 'secret', hash: 'sha256' },
  HS384: { key: 'secret', hash: 'sha384' },
  HS512: { key: 'secret', hash: 'sha512' },
}

/** Is the key of the type that the algorithm needs? The key fixes the algorithm, never the header (RFC 8725 3.1). */
export function fitsAlg(key: KeyObject, alg: string): boolean {
  const way = ways[alg]
  if (way === undefined) return false
  if (way.key === 'secret') return key.type === 'secret'
  return (
    key.asymmetricKeyType === way.key && (way.curve === undefined || key.asymmetricKeyDetails?.namedCurve === way.curve)
  )
}

/**
 * Signs text, in base64url. Another thread does the work: with RSA it takes as long as whole requests.
 * @throws TypeError when the key does not fit the algorithm.
 */
export function signText(text: string, key: KeyObject, alg: string): Promise<string> {
  const way = ways[alg]
  if (way === undefined || !fitsAlg(key, alg)) throw new TypeError(`this key cannot sign with ${alg}`)
  return new Promise((resolve, reject) => {
    sign(way.hash, Buffer.from(text), { key, ...way.options }, (error, signature) => {
      if (error === null) resolve(signature.toString('base64url'))
      else reject(error)
    })
  })
}

/** Does the signature belong to this text? Another thread does the work, but for HMAC. */
export function isSignatureOf(text: string, signature: Buffer, key: KeyObject, alg: string): Promise<boolean> {
  const way = wayFor(signature, key, alg)
  if (way === undefined) return Promise.resolve(false)
  if (way.key === 'secret') return Promise.resolve(isMacOf(text, signature, key, way))
  return new Promise((resolve, reject) => {
    verify(way.hash, Buffer.from(text), { key, ...way.options }, signature, (error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

/** As `isSignatureOf`, for where nobody can wait. */
export function isSignatureOfNow(text: string, signature: Buffer, key: KeyObject, alg: string): boolean {
  const way = wayFor(signature, key, alg)
  if (way === undefined) return false
  if (way.key === 'secret') return isMacOf(text, signature, key, way)
  return verify(way.hash, Buffer.from(text), { key, ...way.options }, signature)
}

/** How to verify; `undefined` where key, algorithm and signature do not go together. */
function wayFor(signature: Buffer, key: KeyObject, alg: string): Way | undefined {
  const way = ways[alg]
  if (way === undefined || !fitsAlg(key, alg)) return undefined
  // OpenSSL takes a PSS signature without its leading zeros; RFC 8017 8.1.2 does not
  if (way.key === 'rsa' && signature.length !== Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8))
    return undefined
  return way
}

function isMacOf(text: string, signature: Buffer, key: KeyObject, way: Way): boolean {
  const mac = createHmac(String(way.hash), key).update(text).digest()
  return mac.length === signature.length && timingSafeEqual(mac, signature)
}
