import type {
  Awaitable,
  BackchannelStore,
  Client,
  DeliveryJob,
  DeliveryQueue,
  DeliveryResult,
} from '../../contracts/contracts.ts'
import type { Vault } from '../../core/crypto/vault.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import type { Outbound } from '../../core/outbound/outbound.ts'
import { isExpired, type RequestRecord } from '../../core/request.ts'
import { authReqIdOf, createNotificationOf, errorBody, refusalBody } from './body.ts'
import { type CallClient, type Called, createCall, modeOf } from './callClient.ts'
import { createTokens, type TokensParts } from './pushedTokens.ts'

/** A ping or push that never arrived. */
export interface Undelivered {
  /** Public id of the request. */
  readonly request: string
  readonly clientId: string
  readonly mode: 'ping' | 'push'
  /** Such as `status_401`, `forbidden`, `expired`. */
  readonly reason: string
}

export interface NotifyParts extends TokensParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly emit: Emit
  readonly vault: Vault
  readonly queue: DeliveryQueue
  findClient(clientId: string): Promise<Client | undefined>
  /** May this user act now? */
  isActive(sub: string): Promise<boolean>
  post: Outbound['post']
  /** Tells the client in place of us, where another server serves it. Defaults to a call to its notification endpoint. */
  readonly callClient?: CallClient | undefined
  onUndelivered?: ((undelivered: Undelivered) => Awaitable<void>) | undefined
}

const end: DeliveryResult = { next: 'end' }
const sleep: DeliveryResult = { next: 'sleep' }

/** Tells clients what became of their requests: pings (CIBA Core 10.2), pushes (10.3) and push errors (12). */
export function createNotify(parts: NotifyParts) {
  const { store, clock, emit, vault, queue, findClient, isActive } = parts
  const call = parts.callClient ?? createCall(parts)
  const tokens = createTokens(parts)
  const underWay = new Set<Promise<void>>()

  /** One run of a delivery job. Never rejects: what fails here is tried again. */
  async function run(job: DeliveryJob, attempt: number): Promise<DeliveryResult> {
    try {
      const record = await store.find(job.request)
      if (record === undefined || record.deliveryMode === 'poll') return end
      if (!isReadable(record)) return await giveUp(record, 'unreadable')
      return await (record.deliveryMode === 'push' ? push(record, attempt) : ping(record, attempt))
    } catch (thrown) {
      // an outage has been reported where it happened
      if (!(thrown instanceof BackchannelError)) emit({ type: 'fault', cause: thrown })
      return { next: 'retry' }
    }
  }

  async function ping(record: RequestRecord, attempt: number): Promise<DeliveryResult> {
    const over = isExpired(record, clock())
    if (record.answer === undefined) return over ? expired(record) : sleep
    if (record.status === 'redeemed') return end // the client has polled in the meantime
    if (over) return attempt === 1 ? end : giveUp(record, 'expired')
    const called = await call(record, await findClient(record.clientId), attempt, {
      auth_req_id: authReqIdOf(record, vault),
    })
    return called.outcome === 'accepted' ? end : notAccepted(record, called)
  }

  async function push(record: RequestRecord, attempt: number): Promise<DeliveryResult> {
    const { answer, status } = record
    const over = isExpired(record, clock())
    if (answer === undefined) {
      if (!over) return sleep
      // a courtesy that CIBA Core 12 leaves open: tried once, and no loss when it fails
      const client = await findClient(record.clientId)
      await call(
        record,
        client,
        attempt,
        errorBody('expired_token', 'The request has expired', authReqIdOf(record, vault)),
      )
      return expired(record)
    }
    if (status === 'delivered') return end
    if (answer.result !== 'approved') {
      if (over) return attempt === 1 ? end : giveUp(record, 'expired')
      return pushError(record, attempt, refusalBody(answer, authReqIdOf(record, vault), record))
    }
    if (over) return giveUp(record, 'expired')
    if (!(await isActive(answer.sub))) {
      await tokens.drop(record)
      const text = 'The user may not sign in any more'
      return pushError(record, attempt, errorBody('access_denied', text, authReqIdOf(record, vault)))
    }
    return pushTokens(record, attempt, answer.sub)
  }

  async function pushTokens(record: RequestRecord, attempt: number, sub: string): Promise<DeliveryResult> {
    const client = await findClient(record.clientId)
    if (client === undefined) return giveUp(record, 'client_gone')
    const authReqId = authReqIdOf(record, vault)
    const payload = await tokens.take(record, client, authReqId)
    if (payload === undefined) return { next: 'retry' } // delivered or expired meanwhile: the next look says which
    const called = await call(record, client, attempt, { auth_req_id: authReqId, ...payload })
    if (called.outcome !== 'accepted') return notAccepted(record, called)
    await tokens.handedOver(record).catch(() => {}) // accepted is accepted; what is kept of them leaves with the record
    emit({ type: 'request.delivered', request: record.id, clientId: record.clientId, sub })
    return end
  }

  async function pushError(record: RequestRecord, attempt: number, body: object): Promise<DeliveryResult> {
    const called = await call(record, await findClient(record.clientId), attempt, body)
    return called.outcome === 'accepted' ? end : notAccepted(record, called)
  }

  async function notAccepted(
    record: RequestRecord,
    called: Exclude<Called, { outcome: 'accepted' }>,
  ): Promise<DeliveryResult> {
    if (called.outcome === 'refused') return giveUp(record, called.reason)
    return { next: 'retry', ...(called.afterMs === undefined ? {} : { afterMs: called.afterMs }) }
  }

  function expired({ id, clientId }: RequestRecord): DeliveryResult {
    emit({ type: 'request.expired', request: id, clientId })
    return end
  }

  async function giveUp(record: RequestRecord, reason: string): Promise<DeliveryResult> {
    const undelivered: Undelivered = { request: record.id, clientId: record.clientId, mode: modeOf(record), reason }
    try {
      if (reason !== 'unreadable') await tokens.drop(record)
      await parts.onUndelivered?.(undelivered)
    } catch (thrown) {
      if (!(thrown instanceof BackchannelError)) emit({ type: 'fault', cause: thrown })
    }
    emit({ type: 'delivery.given_up', ...undelivered })
    return { next: 'park', reason }
  }

  /** Records of an earlier process with another secret cannot be delivered: option `secret` or `keys` was not kept. */
  function isReadable(record: RequestRecord): boolean {
    try {
      return authReqIdOf(record, vault) !== ''
    } catch {
      return false
    }
  }

  return {
    run,

    notificationOf: createNotificationOf({ ...parts, tokens }),

    /** Keeps the job of a request that was just stored. Rejects when the queue cannot. */
    keep: (record: RequestRecord): Promise<void> => queue.add(jobOf(record)),

    /** Tells the client of an answer, in its own time: whoever answered waits for nothing, and sees no failure. */
    announce(record: RequestRecord): void {
      // whoever holds a ticket delivers the notification, too
      if (record.deliveryMode === 'poll' || record.ticketHash !== undefined) return
      const waking = wake(record).finally(() => underWay.delete(waking))
      underWay.add(waking)
    },

    /** Takes no more jobs, and resolves when the calls under way are over. */
    async close(): Promise<void> {
      await Promise.all(underWay)
      await queue.close()
    },
  }

  async function wake(record: RequestRecord): Promise<void> {
    await new Promise(setImmediate) // the page or the endpoint that took the answer speaks first
    await tokens.settled(record.id) // whoever runs the job finds them made
    try {
      await queue.wake(jobOf(record))
    } catch (cause) {
      emit({ type: 'outage', of: 'queue', cause })
    }
  }
}

function jobOf({ id, clientId, expiresAt }: RequestRecord): DeliveryJob {
  return { request: id, clientId, expiresAt }
}
