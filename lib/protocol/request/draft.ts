import { contextOf, newHandle, newId, type Vault } from '../../core/crypto/vault.ts'
import type { DeliveryMode, RequestDetails } from '../../core/request.ts'
import type { Valid } from './begin.ts'

export interface DraftParts {
  readonly clock: () => number
  readonly vault: Vault
  readonly expirySeconds: number
  readonly maxExpirySeconds: number
  readonly intervalSeconds: number
}

/** What every stored request begins with, whether it is issued at once or waits as a ticket. */
export interface Draft {
  readonly id: string
  readonly authReqId: string
  /** How long it will live once it is issued. */
  readonly seconds: number
  readonly receivedAt: number
  readonly deliveryMode: DeliveryMode
  readonly intervalSeconds: number
  readonly details: RequestDetails
}

/** What another server, which serves the client, has given out for a request. */
export interface Given {
  readonly authReqId: string
  /** How long it lives. */
  readonly seconds: number
}

/** Gives a valid request its place and its `auth_req_id`. The store learns neither that nor the notification token. */
export function createDraft({ clock, vault, ...settings }: DraftParts) {
  /** `keepAuthReqId`: the id is needed again, although the client polls. */
  return (valid: Valid, keepAuthReqId: boolean, given?: Given): Draft => {
    const { client, ask, binding } = valid
    const id = newId()
    const authReqId = given?.authReqId ?? newHandle(id)
    const mode = client.deliveryMode ?? 'poll'
    return {
      id,
      authReqId,
      seconds: given?.seconds ?? Math.min(ask.requestedExpiry ?? settings.expirySeconds, settings.maxExpirySeconds),
      receivedAt: clock(),
      deliveryMode: mode,
      intervalSeconds: settings.intervalSeconds,
      details: {
        ...ask.details,
        ...binding,
        ...(mode === 'poll' ? {} : notificationOf(id, valid)),
        ...(mode === 'poll' && !keepAuthReqId
          ? {}
          : { sealedAuthReqId: vault.seal(authReqId, contextOf('authReqId', id)) }),
      },
    }
  }

  /** What a ping or push will need. */
  function notificationOf(id: string, { ask, client }: Valid): Partial<RequestDetails> {
    const endpoint = client.metadata.backchannel_client_notification_endpoint
    return {
      sealedNotificationToken: vault.seal(ask.notificationToken ?? '', contextOf('notificationToken', id)),
      ...(endpoint === undefined ? {} : { notificationEndpoint: endpoint }),
    }
  }
}
