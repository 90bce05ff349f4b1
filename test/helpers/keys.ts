import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

export type KeyKind = 'rsa' | 'P-256' | 'P-384' | 'P-521' | 'ed25519'

const privateKeyEncoding = { format: 'pem', type: 'pkcs8' } as const
const publicKeyEncoding = { format: 'pem', type: 'spki' } as const

/**
 * A pair that may be exported: the keys were read again after they were made. Node 20 locks up when it collects what made a
 * key while that same key is being exported as JWK.
 */
export function keyPair(kind: KeyKind, bits = 2048): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits, privateKeyEncoding, publicKeyEncoding })
      : kind === 'ed25519'
        ? generateKeyPairSync('ed25519', { privateKeyEncoding, publicKeyEncoding })
        : generateKeyPairSync('ec', { namedCurve: kind, privateKeyEncoding, publicKeyEncoding })
  return { privateKey: createPrivateKey(privateKey), publicKey: createPublicKey(publicKey) }
}
