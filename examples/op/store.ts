import type { BackchannelStore } from 'express-ciba'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'

/** A store, and what it takes to let go of its server. */
export interface OpenStore {
  readonly store?: BackchannelStore
  close(): Promise<void>
}

/** The store behind a URL: `redis://…` or `postgres://…`. Without one, the package's own default. */
export async function openStore(url: string | undefined): Promise<OpenStore> {
  if (url === undefined) return { close: async () => {} }
  if (/^rediss?:/.test(url)) {
    const { createClient } = await import('redis')
    const client = await createClient({ url }).connect()
    return { store: redisStore(client), close: () => client.close() }
  }
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url })
  const store = postgresStore(pool)
  await store.migrate()
  return { store, close: () => pool.end() }
}
