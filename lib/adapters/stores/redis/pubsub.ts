import { within } from '../deadline.ts'
import type { OpenLine } from '../pubsub.ts'
import type { IoredisLike, NodeRedisLike, RedisLike } from './client.ts'

/** What every client can listen to. */
interface Emitter {
  on(event: string, listener: (...args: string[]) => void): unknown
}

/** What is used of a node-redis client that subscribes. */
interface NodeRedisSubscriber extends Emitter {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): void
}

/** What is used of an ioredis client that subscribes. */
interface IoredisSubscriber extends Emitter {
  readonly status?: string
  connect(): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

/** Publish and subscribe, on one more connection made as the client's own. Both kinds of client replace one that is lost. */
export function redisLine(client: RedisLike, prefix: string, timeoutMs: number): OpenLine | undefined {
  // a pool of node-redis can neither publish nor subscribe
  if (client.publish === undefined || client.duplicate === undefined) return undefined
  const open = 'evalSha' in client ? nodeRedis : ioredis
  const channel = `${prefix}answers`

  return (listener) => {
    const close = open(client, channel, listener)
    return {
      tell: async (request) => void (await within(timeoutMs, 'Redis', async () => client.publish?.(channel, request))),
      close: async () => close(),
    }
  }
}

type Open = (client: RedisLike, channel: string, listener: Parameters<OpenLine>[0]) => () => void

const nodeRedis: Open = (client, channel, listener) => {
  const subscriber = (client as NodeRedisLike).duplicate?.() as NodeRedisSubscriber
  let isSubscribed = false
  subscriber.on('error', () => {}) // unheard, it would end the process; the verbs report an outage
  for (const event of ['reconnecting', 'end']) subscriber.on(event, () => listener.down())
  // it subscribes again by itself before it says so
  subscriber.on('ready', () => isSubscribed && listener.up())
  subscriber
    .connect()
    .then(() => subscriber.subscribe(channel, (request) => listener.heard(request)))
    .then(
      () => {
        isSubscribed = true
        listener.up()
      },
      () => {}, // closed meanwhile, or the host's strategy is not to try again
    )
  return () => subscriber.destroy()
}

const ioredis: Open = (client, channel, listener) => {
  const subscriber = (client as IoredisLike).duplicate?.() as IoredisSubscriber
  subscriber.on('error', () => {})
  subscriber.on('close', () => listener.down())
  subscriber.on('message', (_channel = '', request = '') => listener.heard(request))
  subscriber.on('ready', () => {
    subscriber.subscribe(channel).then(
      () => listener.up(),
      () => {}, // lost again: the next `ready` is to come
    )
  })
  // a client that connects lazily has duplicates that do, too
  if (subscriber.status === 'wait') subscriber.connect().catch(() => {})
  return () => subscriber.disconnect()
}
