import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

/** Listens on a free loopback port, with a backlog for thousands who connect at once. @returns its URL */
export async function listening(app: Express): Promise<string> {
  const server = app.listen({ port: 0, host: '127.0.0.1', backlog: 16_384 })
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
