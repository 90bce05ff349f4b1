import type { Client, ClientMetadata } from '../contracts.ts'

export function createReadClient() {
  return (metadata: ClientMetadata): Client => ({
    id: metadata.client_id,
    name: metadata.client_name ?? metadata.client_id,
    authMethod: metadata.token_endpoint_auth_method ?? 'client_secret_basic',
    ...(metadata.backchannel_token_delivery_mode === undefined
      ? {}
      : { deliveryMode: metadata.backchannel_token_delivery_mode }),
    ...(metadata.scope === undefined ? {} : { scope: new Set(metadata.scope.split(' ')) }),
    metadata,
  })
}
