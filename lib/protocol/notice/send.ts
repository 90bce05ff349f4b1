import { setTimeout as sleep } from 'node:timers/promises'
import type { BackchannelStore, Client, Notice, Sent, Telemetry, User } from '../../contracts/contracts.ts'
import { ChannelError, type ChannelFailure } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { isExpired, type RequestRecord } from '../../core/request.ts'
import type { Route } from './route.ts'

export interface SendParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly emit: Emit
  /** Seconds before each further round over the channels, when one of them failed for now. */
  readonly retrySeconds: readonly number[]
  /** Tell the user the binding message? Not when they have to pick it on the page. */
  readonly tellBindingMessage: boolean
  /** The sentence before the link, in the user's language. */
  messageFor(locale: string): string
  /** Where the carrier of a channel reports what became of the notice of a request. */
  statusUrl(channel: string, id: string): string
  readonly telemetry?: Telemetry | undefined
  /** Ends a request whose user cannot be reached. */
  fail(record: RequestRecord, reason: string): Promise<void>
}

/** What is told to whom. */
export interface Telling {
  readonly link: string
  readonly record: RequestRecord
  readonly client: Client
  readonly user: User
}

/** Takes notices to users. */
export function createSend(parts: SendParts) {
  const { emit, telemetry } = parts
  const underWay = new Set<Promise<void>>()
  const stop = new AbortController()

  /** Sends in its own time, after the client has its answer. When no channel reaches the user, the request fails. */
  function send(route: Route, telling: Telling): void {
    const delivery = deliver(route, telling).finally(() => underWay.delete(delivery))
    underWay.add(delivery)
  }

  async function deliver(route: Route, telling: Telling): Promise<void> {
    await new Promise(setImmediate) // the client's answer leaves first
    for (const seconds of [...parts.retrySeconds, undefined]) {
      const { failure } = await tryRoutes(route, telling, seconds === undefined)
      if (failure === undefined) return
      if (failure !== 'try_later' || seconds === undefined) break
      if (!(await waitFor(seconds)) || !(await isOpen(telling.record))) return
    }
    await parts.fail(telling.record, 'undeliverable').catch(() => {}) // an outage here is reported by the store's guard
  }

  async function carry(route: Route, telling: Telling): Promise<Sent> {
    const run = async () => (await route.channel.send(noticeOf(route, telling))) ?? {}
    return telemetry === undefined ? run() : telemetry.step('channel', run)
  }

  /** One round over the channels. `failure`: none took the notice; `try_later` when one of them may yet. */
  async function tryRoutes(
    { fallbacks, ...first }: Route,
    telling: Telling,
    lastRound = true,
  ): Promise<{ readonly channel?: string; readonly sent?: Sent; readonly failure?: ChannelFailure }> {
    const failures: ChannelFailure[] = []
    const routes = [{ ...first, fallbacks }, ...fallbacks]
    for (const route of routes) {
      const about = { request: telling.record.id, clientId: telling.record.clientId, channel: route.channel.name }
      try {
        const sent = await carry(route, telling)
        emit({ type: 'notice.sent', ...about, ...(sent.messageId === undefined ? {} : { messageId: sent.messageId }) })
        return { channel: route.channel.name, sent }
      } catch (cause) {
        const failure = cause instanceof ChannelError ? cause.failure : 'try_later'
        failures.push(failure)
        const noneLeft = failures.length === routes.length
        const final = noneLeft && (lastRound || !failures.includes('try_later'))
        emit({ type: 'notice.failed', ...about, failure, final, cause })
      }
    }
    return { failure: failures.includes('try_later') ? 'try_later' : (failures[0] ?? 'undeliverable') }
  }

  function noticeOf({ channel, to }: Route, { link, record, client, user }: Telling): Notice {
    const locale = user.locale ?? 'en'
    const { channel: _, login_hint_type, custom_message, ...context } = record.details.requestContext ?? {}
    const { bindingMessage } = record.details
    return {
      to,
      link,
      message: typeof custom_message === 'string' ? custom_message : parts.messageFor(locale),
      clientName: client.name,
      ...(bindingMessage === undefined || !parts.tellBindingMessage ? {} : { bindingMessage }),
      locale,
      expiresInSeconds: Math.max(0, Math.round((record.expiresAt - parts.clock()) / 1000)),
      domain: new URL(link).host,
      context,
      reference: record.id,
      ...(channel.readStatus === undefined ? {} : { statusUrl: parts.statusUrl(channel.name, record.id) }),
    }
  }

  async function isOpen({ id }: RequestRecord): Promise<boolean> {
    const record = await parts.store.find(id).catch(() => undefined)
    return record?.status === 'pending' && !isExpired(record, parts.clock())
  }

  async function waitFor(seconds: number): Promise<boolean> {
    return sleep(seconds * 1000, true, { signal: stop.signal, ref: false }).catch(() => false)
  }

  /** Resolves when no notice is under way any more. Those that wait for another try are given up. */
  async function settled(): Promise<void> {
    stop.abort()
    while (underWay.size > 0) await Promise.all(underWay)
  }

  return { send, tryRoutes, settled }
}
