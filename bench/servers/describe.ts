import type { Express } from 'express'
import { listening } from './listening.ts'

export const secret = 'a-secret-of-at-least-32-characters'
/** The public half of the key that scenario D signs its assertions with; handed over by the runner. */
export const clientJwk: Record<string, unknown> = JSON.parse(process.env.BENCH_CLIENT_JWK ?? '{}')

/** What the load needs to know of a server; the first line that each one prints. */
export interface Description {
  readonly name: string
  readonly version: string
  readonly pid: number
  readonly issuer: string
  readonly backchannel_authentication_endpoint: string
  readonly token_endpoint: string
  readonly approve_url: string
}

/** Listens on a free loopback port, describes itself once `mount` has put the routes in, and ends with its parent. */
export async function serve(app: Express, mount: (issuer: string) => Promise<Omit<Description, 'pid' | 'issuer'>>) {
  const issuer = await listening(app)
  const described = await mount(issuer)
  console.log(JSON.stringify({ pid: process.pid, issuer, ...described }))
  process.stdin.resume().once('end', () => process.exit(0))
}
