import { createHash } from 'node:crypto'

/**
 * `at_hash` and `rt_hash` (OpenID Connect Core 3.1.3.6, CIBA Core 10.3.1): the left half of the hash that belongs to the
 * ID token's algorithm. Ed25519 goes with SHA-512.
 */
export function leftHalfHash(value: string, alg: string): string {
  const bits = alg === 'EdDSA' || alg === 'Ed25519' ? '512' : alg.slice(2)
  const digest = createHash(`sha${bits}`).update(value, 'ascii').digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
