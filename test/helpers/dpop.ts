import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'

/** A key that makes DPoP proofs. */
export async function makeDpopKey(alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return {
    jkt: await calculateJwkThumbprint(jwk),
    /** A header with a fresh proof for a URL. */
    async proof(htu: string, claims: Record<string, unknown> = {}): Promise<{ dpop: string }> {
      const iat = Math.floor(Date.now() / 1000)
      const dpop = await new SignJWT({ htm: 'POST', htu, jti: crypto.randomUUID(), iat, ...claims })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk })
        .sign(privateKey)
      return { dpop }
    },
  }
}
