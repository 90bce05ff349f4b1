import type { ClientMetadata } from '../../contracts/clients.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { isPublicKey } from '../../core/crypto/jwk.ts'
import { isObject } from '../../core/json.ts'
import { readClient } from './metadata.ts'

/**
 * Checks a client's metadata together with the documents it points to, as far as pairwise subjects rest on them: a
 * `jwks_uri` has to hold keys, and the list at `sector_identifier_uri` has to name the client's own URL (CIBA Core 4).
 * @throws TypeError that names the client, the member and what is wrong.
 */
export async function checkRegistration(ctx: Context, metadata: ClientMetadata): Promise<RegisteredClient> {
  const client = readClient(metadata)
  await checkKeys(ctx, client)
  await checkSector(ctx, client)
  return client
}

async function checkKeys(ctx: Context, { id, deliveryMode, metadata }: RegisteredClient): Promise<void> {
  const { subject_type, jwks_uri } = metadata
  if (subject_type !== 'pairwise' || jwks_uri === undefined || deliveryMode === 'push') return
  const set = await fetchOrThrow(ctx, id, 'jwks_uri', jwks_uri)
  const keys = isObject(set) && Array.isArray(set.keys) ? set.keys.filter(isPublicKey) : []
  if (keys.length === 0) throw new TypeError(`client "${id}": jwks_uri holds no public key`)
}

async function checkSector(ctx: Context, { id, deliveryMode, metadata }: RegisteredClient): Promise<void> {
  const { sector_identifier_uri: sector } = metadata
  const member = deliveryMode === 'push' ? 'backchannel_client_notification_endpoint' : 'jwks_uri'
  const uri = metadata[member]
  if (sector === undefined || deliveryMode === undefined || uri === undefined) return
  const list = await fetchOrThrow(ctx, id, 'sector_identifier_uri', sector)
  if (!Array.isArray(list)) throw new TypeError(`client "${id}": sector_identifier_uri holds no JSON array`)
  if (!list.includes(uri)) {
    throw new TypeError(`client "${id}": the list at sector_identifier_uri lacks its ${member}`)
  }
}

async function fetchOrThrow(ctx: Context, id: string, member: string, url: string): Promise<unknown> {
  try {
    return await ctx.outbound.getJson(url)
  } catch (cause) {
    throw new TypeError(`client "${id}": ${member} could not be read: ${(cause as Error).message}`, { cause })
  }
}
