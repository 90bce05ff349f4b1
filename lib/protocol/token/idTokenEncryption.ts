import type { JWK } from 'jose'
import { CompactEncrypt } from 'jose/jwe/compact/encrypt'
import { importJWK } from 'jose/key/import'
import type { Jwk } from '../../contracts/clients.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { isLongEnough } from '../../core/crypto/jwk.ts'
import { omitUndefined } from '../../core/json.ts'

/** Key management for encrypted ID tokens: asymmetric, and never `RSA1_5` (RFC 8725 3.2). */
export const encryptionAlgs: readonly string[] = [
  ...['RSA-OAEP', 'RSA-OAEP-256', 'RSA-OAEP-384', 'RSA-OAEP-512'],
  ...['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
]

export const encryptionEncs: readonly string[] = [
  ...['A128CBC-HS256', 'A192CBC-HS384', 'A256CBC-HS512'],
  ...['A128GCM', 'A192GCM', 'A256GCM'],
]

const curves: readonly unknown[] = ['P-256', 'P-384', 'P-521', 'X25519']

/** The ID token as the client registered for it (OpenID Connect Core 2, 10.2): signed first, then encrypted. */
export async function encryptIdToken(ctx: Context, idToken: string, client: Client): Promise<string> {
  const { id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc } = client.metadata
  if (alg === undefined) return idToken
  const key = await keyFor(ctx, client, alg)
  if (key === undefined) throw new Error(`client "${client.id}" has no key to encrypt with ${alg}`)
  return new CompactEncrypt(Buffer.from(idToken))
    .setProtectedHeader(omitUndefined({ alg, enc: encOf(enc), cty: 'JWT', kid: key.kid }))
    .encrypt(await importJWK(key as JWK, alg))
}

/** What is wrong with a client's registration for encryption, in words for the host's log; `undefined`: nothing. */
export async function encryptionProblem(ctx: Context, client: Client): Promise<string | undefined> {
  const { id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc } = client.metadata
  if (alg === undefined) return enc === undefined ? undefined : 'id_token_encrypted_response_enc goes with an alg'
  if (!encryptionAlgs.includes(alg)) return 'id_token_encrypted_response_alg is not supported'
  if (!encryptionEncs.includes(encOf(enc))) return 'id_token_encrypted_response_enc is not supported'
  const key = await keyFor(ctx, client, alg)
  return key === undefined ? `no key to encrypt with ${alg} in jwks or jwks_uri` : undefined
}

/** One that is marked for encryption comes first. */
async function keyFor(ctx: Context, client: Client, alg: string): Promise<Jwk | undefined> {
  const fitting = await ctx.clientKeys.findKeys(client, (key) => encryptsWith(key, alg))
  return fitting.find(({ use }) => use === 'enc') ?? fitting[0]
}

function encOf(enc: string | undefined): string {
  return enc ?? 'A128CBC-HS256'
}

function encryptsWith(key: Jwk, alg: string): boolean {
  if ((key.use !== undefined && key.use !== 'enc') || (key.alg !== undefined && key.alg !== alg)) return false
  if (alg.startsWith('ECDH-ES')) return (key.kty === 'EC' || key.kty === 'OKP') && curves.includes(key.crv)
  return key.kty === 'RSA' && isLongEnough(key)
}
