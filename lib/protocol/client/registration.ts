import type { Client, ClientMetadata } from '../../contracts/contracts.ts'
import { isObject } from '../../core/json.ts'
import { isPublicKey } from './jwks.ts'

export interface RegistrationParts {
  /** Checks metadata. Throws a TypeError when it is wrong. */
  read(metadata: ClientMetadata): Client
  /** Fetches JSON, guarded against inner addresses. */
  fetchJson(url: string): Promise<unknown>
}

/**
 * Checks a client's metadata together with the documents it points to, as far as pairwise subjects rest on them: a `jwks_uri`
 * has to hold keys, and the list at `sector_identifier_uri` has to name what belongs to the sector (CIBA Core 4).
 * @throws TypeError that names the client, the member and what is wrong.
 */
export function createCheckRegistration({ read, fetchJson }: RegistrationParts) {
  async function fetchOrThrow(id: string, member: string, url: string): Promise<unknown> {
    try {
      return await fetchJson(url)
    } catch (cause) {
      throw new TypeError(`client "${id}": ${member} could not be read: ${(cause as Error).message}`, { cause })
    }
  }

  return async (metadata: ClientMetadata): Promise<Client> => {
    const client = read(metadata)
    const { id, deliveryMode } = client
    const { subject_type, jwks_uri, sector_identifier_uri: sector } = metadata
    const endpoint = metadata.backchannel_client_notification_endpoint
    if (subject_type === 'pairwise' && jwks_uri !== undefined && deliveryMode !== 'push') {
      const set = await fetchOrThrow(id, 'jwks_uri', jwks_uri)
      const keys = isObject(set) && Array.isArray(set.keys) ? set.keys.filter(isPublicKey) : []
      if (keys.length === 0) throw new TypeError(`client "${id}": jwks_uri holds no public key`)
    }
    const [member, uri] =
      deliveryMode === 'push' ? ['backchannel_client_notification_endpoint', endpoint] : ['jwks_uri', jwks_uri]
    if (sector === undefined || deliveryMode === undefined || uri === undefined) return client
    const list = await fetchOrThrow(id, 'sector_identifier_uri', sector)
    if (!Array.isArray(list)) throw new TypeError(`client "${id}": sector_identifier_uri holds no JSON array`)
    if (!list.includes(uri))
      throw new TypeError(`client "${id}": the list at sector_identifier_uri lacks its ${member}`)
    return client
  }
}
