import type { Channel, Notice, User } from '../contracts.ts'
import { BackchannelError, ChannelError } from '../errors.ts'
import type { Emit } from '../events.ts'
import type { RequestRecord } from '../record.ts'
import type { Begun } from './begin.ts'
import type { Route } from './issue.ts'

export interface SendParts {
  readonly channels: readonly Channel[]
  /** Host name that links lead to. */
  readonly domain: string
  readonly emit: Emit
  /** The sentence before the link, in the user's language. */
  messageFor(locale: string): string
  /** Ends a request whose user cannot be reached. */
  fail(record: RequestRecord, reason: string): Promise<void>
}

/** Chooses channels, and takes notices to users after the client has its answer. */
export function createSend(parts: SendParts) {
  const { channels, emit } = parts
  const underWay = new Set<Promise<void>>()

  /**
   * The channel that the request names (a context that names none means SMS, as Transmit documents it), else the first
   * one that reaches the user. `undefined` when there is nobody to reach, or nothing to reach them with.
   */
  function chooseChannel({ ask, user }: Begun): Route | undefined {
    const named = ask.context?.channel
    if (named !== undefined) return routeNamed(named, user)
    if (user === undefined) return undefined
    const preferred = channels.filter((channel) => ask.context !== undefined && channel.name === 'sms')
    const fallback = channels.filter((channel) => channel.returnsLink)
    for (const channel of [...preferred, ...channels.filter((each) => !each.returnsLink), ...fallback]) {
      const route = routeTo(channel, user)
      if (route !== undefined) return route
    }
    if (channels.length === 0) return undefined
    throw unreachable()
  }

  function routeNamed(name: string, user: User | undefined): Route | undefined {
    const channel = channels.find((each) => each.name === name) ?? channels.find((each) => each.standsIn)
    if (channel === undefined) {
      throw new BackchannelError('invalid_request', 'request_context: channel is not one that this server offers')
    }
    if (user === undefined)
      return channel.returnsLink ? { channel: channel.name, to: '', returnsLink: true } : undefined
    const route = routeTo(channel, user)
    if (route === undefined) throw unreachable()
    return route
  }

  function send(route: Route, link: string, record: RequestRecord, begun: Begun): void {
    const delivery = deliver(route, link, record, begun).finally(() => underWay.delete(delivery))
    underWay.add(delivery)
  }

  async function deliver(route: Route, link: string, record: RequestRecord, begun: Begun): Promise<void> {
    await new Promise(setImmediate) // the client's answer leaves first
    const about = { request: record.id, clientId: record.clientId, channel: route.channel }
    try {
      const channel = channels.find((each) => each.name === route.channel)
      const sent = await channel?.send(noticeOf(route, link, record, begun))
      emit({ type: 'notice.sent', ...about, ...(sent?.messageId === undefined ? {} : { messageId: sent.messageId }) })
    } catch (thrown) {
      const failure = thrown instanceof ChannelError ? thrown.failure : 'try_later'
      emit({ type: 'notice.failed', ...about, failure, final: true, cause: thrown })
      await parts.fail(record, 'undeliverable').catch(() => {}) // an outage here is reported by the store's guard
    }
  }

  function noticeOf(route: Route, link: string, record: RequestRecord, { ask, client, user }: Begun): Notice {
    const locale = user?.locale ?? 'en'
    const { channel, login_hint_type, custom_message, ...context } = record.details.requestContext ?? {}
    return {
      to: route.to,
      link,
      message: ask.context?.customMessage ?? parts.messageFor(locale),
      clientName: client.name,
      ...(record.details.bindingMessage === undefined ? {} : { bindingMessage: record.details.bindingMessage }),
      locale,
      expiresInSeconds: Math.round((record.expiresAt - record.receivedAt) / 1000),
      domain: parts.domain,
      context,
      reference: record.id,
    }
  }

  /** Resolves when no notice is under way any more. */
  async function settled(): Promise<void> {
    while (underWay.size > 0) await Promise.all(underWay)
  }

  return { chooseChannel, send, settled }
}

function routeTo(channel: Channel, user: User): Route | undefined {
  if (channel.returnsLink) return { channel: channel.name, to: '', returnsLink: true }
  const to = channel.address(user)
  return to === undefined ? undefined : { channel: channel.name, to, returnsLink: false }
}

function unreachable(): BackchannelError {
  return new BackchannelError('invalid_request', 'The user cannot be reached by this channel')
}
