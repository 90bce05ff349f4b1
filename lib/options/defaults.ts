// What an option is when it is not set and cannot be a plain value.
import { createHash, randomBytes } from 'node:crypto'
import { consoleChannel } from '../adapters/channels/console.ts'
import { linkChannel } from '../adapters/channels/link.ts'
import { inProcessQueue } from '../adapters/queues/inProcess.ts'
import { memoryStore } from '../adapters/stores/memory.ts'
import type { Channel } from '../contracts/channel.ts'
import type { JwkSet } from '../contracts/clients.ts'
import type { BackchannelOptions, CounterFactory } from '../contracts/options.ts'
import type { DeliveryQueue } from '../contracts/queue.ts'
import type { BackchannelStore } from '../contracts/store.ts'
import type { Logger } from '../contracts/telemetry.ts'
import { makeKeys } from '../core/crypto/signingKeys.ts'
import { memoryCounter } from '../protocol/limits/budgets.ts'

type Options<Name extends keyof BackchannelOptions> = Pick<BackchannelOptions, Name>

/** Seconds that a call of what the host plugged in may take. */
export const defaultTimeoutSeconds = 5

/** Epoch milliseconds. `Date.now` is looked up at each call, so that fake timers of a test hold this clock, too. */
export function clockOf({ clock }: Options<'clock'>): () => number {
  return clock ?? (() => Date.now())
}

/** Where the notices at the start go. */
export function startLogger({ logger }: Options<'logger'>): Pick<Logger, 'warn'> {
  return logger ?? { warn: (_fields, text) => console.warn(text) }
}

export function keysOf(options: Options<'keys' | 'logger'>): JwkSet {
  if (options.keys !== undefined) return options.keys
  const text = 'express-ciba: option "keys" is not set: signing with a key made at start, gone at the end'
  startLogger(options).warn({}, text)
  return makeKeys()
}

export function storeOf(options: Options<'store' | 'logger'>, clock: () => number): BackchannelStore {
  if (options.store !== undefined) return options.store
  const text = 'express-ciba: option "store" is not set: requests live in the memory of this process'
  startLogger(options).warn({}, text)
  return memoryStore({ clock })
}

/** Without a session there is no page that a channel could lead to. */
export function channelsOf({ channels, session }: Options<'channels' | 'session'>): readonly Channel[] {
  return channels ?? (session === undefined ? [] : [consoleChannel(), linkChannel()])
}

export function counterOf({ limits }: Options<'limits'>): CounterFactory {
  return (limits === false ? undefined : limits?.counter) ?? memoryCounter
}

export function queueOf({ delivery }: Options<'delivery'>): DeliveryQueue {
  return delivery?.queue ?? inProcessQueue()
}

/**
 * The secret behind sealed values. Where it is not set, every process with the same private keys gets the same one;
 * without such keys it is random, and what was sealed is lost at the end of the process.
 */
export function secretOf({ secret }: Options<'secret'>, keys: JwkSet['keys']): Uint8Array {
  if (secret !== undefined) return typeof secret === 'string' ? Buffer.from(secret) : secret
  const privates = keys.flatMap((key) => (typeof key.d === 'string' ? [key.d] : [])).sort()
  if (privates.length === 0) return randomBytes(32)
  return createHash('sha256')
    .update(`express-ciba secret ${privates.join(' ')}`)
    .digest()
}
