import type { ClientMetadata } from '../contracts/contracts.ts'
import type { ManagementOptions } from './options.ts'
import { clientNumber, pairs } from './shapes.ts'

/** What every answer says of its client and service. No client is an entity of a federation, or known by a document. */
export function createAbout({ serviceAttributes, clientAttributes }: ManagementOptions) {
  return (client: ClientMetadata) => ({
    ...clientNumber(client.client_id),
    clientEntityIdUsed: false,
    metadataDocumentUsed: false,
    clientName: client.client_name ?? client.client_id,
    serviceAttributes: pairs(serviceAttributes),
    clientAttributes: pairs(clientAttributes?.(client)),
  })
}

export type About = ReturnType<typeof createAbout>
