import { type BackchannelStore, memoryStore, postgresStore, redisStore } from 'express-ciba'
import { locate, type Server, startPostgres, startRedis } from '../helpers/servers.ts'

/** What a server process needs to open its store. */
export interface StoreSettings {
  readonly kind: 'memory' | 'redis' | 'postgres'
  readonly url?: string
}

/** A store as the table lists it. */
export interface Backend {
  readonly name: string
  readonly kind: StoreSettings['kind']
  /** Whether what was acknowledged outlives the death of a server process, and of the backend itself. */
  readonly outlives: { readonly process: boolean; readonly backend: boolean }
  /** Another setting of a store that is in the list as well: only its outages differ. */
  readonly variant?: true
  /** Starts what the store talks to, if it is a server. */
  start?(): Promise<Server>
  /** Why it cannot be tested here. */
  readonly missing?: string
}

export function backends(): readonly Backend[] {
  const redis = locate('redis-server') === undefined ? { missing: 'redis-server is not installed' } : {}
  const postgres = locate('postgres') === undefined ? { missing: 'postgres is not installed' } : {}
  const kept = { outlives: { process: true, backend: true } }
  const cache = { outlives: { process: true, backend: false }, variant: true } as const
  return [
    { name: 'memory', kind: 'memory', outlives: { process: false, backend: false } },
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
      variant: true,
      ...kept,
      ...redis,
    },
    { name: 'postgres', kind: 'postgres', start: () => startPostgres(), ...kept, ...postgres },
  ]
}

export async function openStore({ kind, url = '' }: StoreSettings): Promise<BackchannelStore> {
  if (kind === 'memory') return memoryStore()
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
