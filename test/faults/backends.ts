import { type BackchannelStore, memoryStore } from 'express-ciba'
import { keyvStore } from 'express-ciba/stores/keyv'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import { locate, type Server, startPostgres, startRedis } from '../helpers/servers.ts'

/** What a server process needs to open its store. */
export interface StoreSettings {
  readonly kind: 'memory' | 'redis' | 'postgres' | 'keyv on redis'
  readonly url?: string
}

/** A store as the table lists it. */
export interface Backend {
  readonly name: string
  readonly kind: StoreSettings['kind']
  /** Whether what was acknowledged outlives the death of a server process, and of the backend itself. */
  readonly outlives: { readonly process: boolean; readonly backend: boolean }
  /** What is done in a short run. A full one does everything to each. */
  readonly short: readonly ('races' | 'kills' | 'outages')[]
  /** Starts what the store talks to, if it is a server. */
  start?(): Promise<Server>
  /** Why it cannot be tested here. */
  readonly missing?: string
}

export function backends(): readonly Backend[] {
  const redis = locate('redis-server') === undefined ? { missing: 'redis-server is not installed' } : {}
  const postgres = locate('postgres') === undefined ? { missing: 'postgres is not installed' } : {}
  const kept = { outlives: { process: true, backend: true }, short: ['races', 'kills', 'outages'] } as const
  const cache = { outlives: { process: true, backend: false }, short: ['outages'] } as const
  return [
    { name: 'memory', kind: 'memory', outlives: { process: false, backend: false }, short: ['races', 'kills'] },
    { name: 'redis, no persistence', kind: 'redis', start: () => startRedis(), ...cache, ...redis },
    {
      name: 'redis, appendfsync everysec',
      kind: 'redis',
      start: () => startRedis({ appendfsync: 'everysec' }),
      ...kept,
      ...redis,
    },
    {
      name: 'redis, appendfsync always',
      kind: 'redis',
      start: () => startRedis({ appendfsync: 'always' }),
      ...kept,
      short: ['outages'],
      ...redis,
    },
    {
      name: 'keyv on redis',
      kind: 'keyv on redis',
      start: () => startRedis({ appendfsync: 'everysec' }),
      ...kept,
      short: ['races'],
      ...redis,
    },
    { name: 'postgres', kind: 'postgres', start: () => startPostgres(), ...kept, ...postgres },
  ]
}

export async function openStore({ kind, url = '' }: StoreSettings): Promise<BackchannelStore> {
  if (kind === 'memory') return memoryStore()
  if (kind === 'keyv on redis') {
    const { createKeyv } = await import('@keyv/redis')
    return keyvStore(createKeyv(url).on('error', () => {}))
  }
  if (kind === 'redis') {
    const { createClient } = await import('redis')
    const client = createClient({ url })
    client.on('error', () => {})
    return redisStore(await client.connect())
  }
  const { default: pg } = await import('pg')
  const store = postgresStore(new pg.Pool({ connectionString: url, max: 10 }))
  await store.migrate()
  return store
}
