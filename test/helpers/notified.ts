import type { ClientMetadata } from 'express-ciba'
import { inProcessQueue } from 'express-ciba'
import { clientOf, type Form } from './client.ts'
import { clients, type Host, type HostOptions, startHost } from './host.ts'
import { type Receiver, receiverCertificate, startReceiver } from './receiver.ts'

export const notificationToken = 'notification-token-0123456789-abcdef'

/** A host, and a till that registered a real HTTPS receiver for its pings or pushes. */
export interface Notified {
  readonly host: Host
  readonly receiver: Receiver
  readonly client: ReturnType<typeof clientOf>
  /** The till's registration. Members may be changed: the host reads it each time. */
  readonly till: { -readonly [Name in keyof ClientMetadata]: ClientMetadata[Name] }
  /** Starts a request and says its `auth_req_id`. */
  start(form?: Record<string, string>): Promise<string>
  /** Answers as the user would. */
  approve(authReqId: string): Promise<void>
  deny(authReqId: string): Promise<void>
  /** Events of a kind, so far. */
  events(type: string): readonly object[]
  close(): Promise<void>
}

/** Retries are fast: 20 ms first, 100 ms at most. */
export async function startNotified(mode: 'ping' | 'push', options: HostOptions = {}): Promise<Notified> {
  const receiver = await startReceiver()
  const till = {
    ...clients[0],
    client_id: 'till',
    backchannel_token_delivery_mode: mode,
    backchannel_client_notification_endpoint: receiver.url,
  } as Notified['till']
  const { delivery = {}, ...others } = options
  const { outbound, ...otherDelivery } = delivery
  const host = await startHost({
    clients: { find: ({ clientId: id }) => (id === 'till' ? till : undefined) },
    delivery: {
      modes: ['poll', 'ping', 'push'],
      queue: inProcessQueue({ firstRetrySeconds: 0.02, maxRetrySeconds: 0.1 }),
      outbound: { allow: [receiver.host], ca: receiverCertificate.cert, totalSeconds: 1, ...outbound },
      ...otherDelivery,
    },
    ...others,
  })
  const client = clientOf(host)
  const decide = async (authReqId: string, approved: boolean) => {
    const answer = await client.complete({ auth_req_id: authReqId, approved })
    if (answer.status >= 300) throw new Error(`the decision was answered ${answer.status}`)
  }
  return {
    host,
    receiver,
    client,
    till,
    async start(form = {}) {
      const asked: Form = {
        scope: 'openid',
        login_hint: 'alice@example.com',
        client_notification_token: notificationToken,
        ...form,
      }
      const { status, body } = await client.start(asked)
      if (status !== 200) throw new Error(`refused: ${JSON.stringify(body)}`)
      return body.auth_req_id
    },
    approve: (authReqId) => decide(authReqId, true),
    deny: (authReqId) => decide(authReqId, false),
    events: (type) => host.events.filter((each) => each.type === type),
    async close() {
      await host.close()
      await receiver.close()
    },
  }
}

/** Resolves when the check holds; rejects when it does not come to that. */
export async function eventually(check: () => unknown, withinMs = 4000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await check()); ) {
    if (Date.now() > deadline) throw new Error(`in ${withinMs} ms it did not come to that: ${check}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Long enough for anything that wrongly happens to happen. */
export const quiet = (ms = 250) => new Promise((resolve) => setTimeout(resolve, ms))
