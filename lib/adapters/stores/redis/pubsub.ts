import { withTimeout } from '../../../core/guards/guard.ts'
import type { OpenBus } from '../pubsub.ts'
import type { IoredisLike, NodeRedisLike, RedisLike } from './client.ts'

/** Events of every client. */
interface Emitter {
  on(event: string, listener: (...args: string[]) => void): unknown
}

/** The part of a node-redis client that is used for subscribing. */
interface NodeRedisSubscriber extends Emitter {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): void
}

/** The part of an ioredis client that is used for subscribing. */
interface IoredisSubscriber extends Emitter {
  readonly status?: string
  connect(): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/**
 * Publish and subscribe. Subscribing takes one more connection, a duplicate of the client, which reconnects by itself.
 * @returns `undefined` for a pool of node-redis, which can neither publish nor subscribe.
 */
export function redisBus(client: RedisLike, prefix: string, timeoutMs: number): OpenBus | undefined {
  if (client.publish === undefined || client.duplicate === undefined) return undefined
  const subscribe = 'evalSha' in client ? subscribeNodeRedis : subscribeIoredis
  const channel = `${prefix}answers`

  return (subscriber) => {
    const close = subscribe(client, channel, subscriber)
    return {
      async publish(request) {
        await withTimeout(async () => client.publish?.(channel, request), timeoutMs, 'Redis')
      },
      close: async () => close(),
    }
  }
}

/** @returns what closes the connection. */
type Subscribe = (client: RedisLike, channel: string, subscriber: Parameters<OpenBus>[0]) => () => void

const subscribeNodeRedis: Subscribe = (client, channel, subscriber) => {
  const connection = (client as NodeRedisLike).duplicate?.() as NodeRedisSubscriber
  let isSubscribed = false
  connection.on('error', () => {}) // without a listener it would end the process; the verbs report the outage
  for (const event of ['reconnecting', 'end']) connection.on(event, () => subscriber.onDisconnect())
  // after a reconnection node-redis has subscribed again before it emits this
  connection.on('ready', () => isSubscribed && subscriber.onConnect())
  connection
    .connect()
    .then(() => connection.subscribe(channel, (request) => subscriber.onAnswer(request)))
    .then(
      () => {
        isSubscribed = true
        subscriber.onConnect()
      },
      () => {}, // closed meanwhile, or the host's reconnect strategy gives up
    )
  return () => connection.destroy()
}

const subscribeIoredis: Subscribe = (client, channel, subscriber) => {
  const connection = (client as IoredisLike).duplicate?.() as IoredisSubscriber
  connection.on('error', () => {})
  connection.on('close', () => subscriber.onDisconnect())
  connection.on('message', (_channel = '', request = '') => subscriber.onAnswer(request))
  connection.on('ready', () => {
    connection.subscribe(channel).then(
      () => subscriber.onConnect(),
      () => {}, // the connection is lost again: `ready` comes once more
    )
  })
  // duplicates of a client with `lazyConnect` do not connect by themselves either
  if (connection.status === 'wait') connection.connect().catch(() => {})
  return () => connection.disconnect()
}
