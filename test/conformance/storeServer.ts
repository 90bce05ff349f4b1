import { type Server, startPostgres, startRedis } from '../helpers/servers.ts'

/** Real servers that the example's provider can keep its requests in. */
export const storeServers = { redis: startRedis, postgres: startPostgres } as const

export type StoreName = keyof typeof storeServers

export function startStore(name: StoreName | undefined): Promise<Server> | undefined {
  return name === undefined ? undefined : storeServers[name]()
}
