// What an option is when it is not set and cannot be a plain value.
import { createHash, randomBytes } from 'node:crypto'
import { consoleChannel } from '../adapters/channels/console.ts'
import { linkChannel } from '../adapters/channels/link.ts'
import { memoryStore } from '../adapters/stores/memory.ts'
import type { Channel, JwkSet } from '../contracts/contracts.ts'
import { makeKeys } from '../core/crypto/signingKeys.ts'
import type { Logger } from '../core/events.ts'
import type { Settings } from './schema.ts'

export function temporaryKeys(logger: Pick<Logger, 'warn'>): JwkSet {
  logger.warn({}, 'express-ciba: option "keys" is not set: signing with a key made at start, gone at the end')
  return makeKeys()
}

export function temporaryStore(logger: Pick<Logger, 'warn'>, clock: () => number) {
  logger.warn({}, 'express-ciba: option "store" is not set: requests live in the memory of this process')
  return memoryStore({ clock })
}

export function defaultChannels({ session }: Settings): readonly Channel[] {
  return session === undefined ? [] : [consoleChannel(), linkChannel()]
}

/** Every process with the same keys gets the same secret; a fresh one where there is nothing to derive it from. */
export function secretOf({ secret }: Settings, jwks: JwkSet): Uint8Array {
  if (secret !== undefined) return typeof secret === 'string' ? Buffer.from(secret) : secret
  const privates = jwks.keys.flatMap((key) => (typeof key.d === 'string' ? [key.d] : [])).sort()
  return privates.length === 0
    ? randomBytes(32)
    : createHash('sha256')
        .update(`express-ciba secret ${privates.join(' ')}`)
        .digest()
}
