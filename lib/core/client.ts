import type { ClientAuthMethod, ClientMetadata, DeliveryMode } from '../contracts/clients.ts'

/** A client as asking the user needs it: somebody else may serve it. */
export interface Client {
  readonly id: string
  /** What the user is told: `client_name`, else the id. */
  readonly name: string
  /** The registered metadata, as the host gave it. */
  readonly metadata: ClientMetadata
}

/** A client that is served here: its metadata was checked and given its defaults. */
export interface RegisteredClient extends Client {
  readonly authMethod: ClientAuthMethod
  /** How tokens are collected. Absent: the client may not use CIBA. */
  readonly deliveryMode?: DeliveryMode
  /** Scope values the client may ask for. Absent: all that the server supports. */
  readonly scope?: ReadonlySet<string>
}
