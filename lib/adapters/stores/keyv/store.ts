import type { BackchannelStore } from '../../../contracts/store.ts'
import { hashOf } from '../../../core/crypto/handles.ts'
import { checkOptionNames } from '../../optionNames.ts'
import { type Access, createMutex } from './access.ts'
import { createBackend, type KeyvLike, requireKeyv } from './backend.ts'
import { warningAbout } from './capabilities.ts'
import { addGrant, endGrant, findGrant, rotate } from './grants.ts'
import { add, find, move, poll, release } from './requests.ts'
import { createSingleUseKeys } from './singleUseKeys.ts'

export type { KeyvLike } from './backend.ts'

/** What `keyvStore` takes besides its Keyv. */
export interface KeyvStoreOptions {
  /** Told once, at the start, what the backend cannot promise. Defaults to `console.warn`. */
  readonly warn?: (text: string) => void
}

/**
 * Requests in any Keyv 5 or 6 backend. Moves and rotations have one winner in one process on every backend, and across
 * processes wherever the backend's `delete` has one. The replay guard and the count of open requests hold per process.
 * Several processes are served best by `redisStore` and `postgresStore`.
 *
 * @param keyv A Keyv. Disconnecting it is up to you.
 * @throws TypeError when it is not a Keyv, or an option is unknown.
 * @example
 * ```ts
 * import KeyvRedis from '@keyv/redis'
 * import { keyvStore } from 'express-ciba/stores/keyv'
 * import { Keyv } from 'keyv'
 *
 * const store = keyvStore(new Keyv(new KeyvRedis('redis://127.0.0.1:6379')))
 * ```
 */
export function keyvStore(keyv: KeyvLike, options: KeyvStoreOptions = {}): BackchannelStore {
  requireKeyv(keyv)
  checkOptionNames('keyvStore', options, { warn: true })
  const { warn = console.warn } = options
  const backend = createBackend(keyv)
  const access: Access = { backend, inTurn: createMutex(), singleUse: createSingleUseKeys(backend) }
  const warning = warningAbout(backend.kind)
  if (warning !== undefined) warn(`express-ciba: keyvStore: ${warning}`)

  return {
    add: (record, openLimit) => add(access, record, openLimit),
    find: (id) => find(access, id),
    poll: (id, poller, now, holdMs) => poll(access, id, poller, now, holdMs),
    release: (id, polledAt) => release(access, id, polledAt),
    move: (id, change) => move(access, id, change),

    firstSeen: (key, until) => firstSeen(access, key, until),
    seen: async (key) => (await backend.get(seenKey(key))) !== undefined,

    addGrant: (grant) => addGrant(access, grant),
    findGrant: (id) => findGrant(access, id),
    rotate: (id, rotation) => rotate(access, id, rotation),
    endGrant: (id) => endGrant(access, id),

    close: async () => backend.stop(),
  }
}

function firstSeen({ backend, inTurn }: Access, key: string, until: number): Promise<boolean> {
  return inTurn(`s:${key}`, async () => {
    if ((await backend.get(seenKey(key))) !== undefined) return false
    await backend.set(seenKey(key), 1, until)
    return true
  })
}

function seenKey(key: string): string {
  return `s:${hashOf(key)}`
}
