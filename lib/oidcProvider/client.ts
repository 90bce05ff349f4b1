import type { ClientMetadata, DeliveryMode } from '../contracts/clients.ts'
import type { Client } from '../core/client.ts'
import type { ProviderClient } from './types.ts'

/** A client as its server knows it, which has checked the metadata by rules of its own. */
export function clientOf(client: ProviderClient): Client {
  const { metadata } = client as ProviderClient & { metadata(): ClientMetadata } // missing in its types
  const registered = metadata.call(client)
  return { id: client.clientId, name: registered.client_name ?? client.clientId, metadata: registered }
}

/** oidc-provider has no push. */
export function deliveryModeOf({ backchannelTokenDeliveryMode }: ProviderClient): DeliveryMode {
  return backchannelTokenDeliveryMode === 'ping' ? 'ping' : 'poll'
}
