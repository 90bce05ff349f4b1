import type { Client, ClientMetadata } from '../contracts/contracts.ts'
import type { ProviderClient } from './types.ts'

/**
 * A client as its server knows it, which has checked the metadata by rules of its own. Whatever the client does, somebody
 * has to be told of the answer, as for a ping: the server itself.
 */
export function clientOf(client: ProviderClient): Client {
  const { metadata } = client as ProviderClient & { metadata(): ClientMetadata } // its types have forgotten this method
  const registered = metadata.call(client)
  return {
    id: client.clientId,
    name: registered.client_name ?? client.clientId,
    authMethod: 'client_secret_basic', // never looked at: authentication is the server's
    deliveryMode: 'ping',
    metadata: registered,
  }
}
