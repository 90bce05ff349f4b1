import { Pool } from 'undici'
import { basic, formHeaders } from '../client.ts'
import { each } from '../each.ts'
import { startServer } from '../process.ts'

/** Calls that open requests, at a time. */
const seeders = 64

export interface Weight {
  /** Bytes. */
  readonly heap: number
  readonly rss: number
  /** Polls that a bare server holds. */
  readonly held: number
}

/** A process of `bench/servers/scale.ts`. */
export interface ScaleServer {
  readonly issuer: string
  readonly pid: number
  weigh(): Promise<Weight>
  /** Opens so many requests. @returns `auth_req_id`s of the first ones */
  seed(count: number, keep: number): Promise<string[]>
  approve(authReqId: string): Promise<void>
  close(): Promise<void>
}

export async function startScaleServer(settings: object): Promise<ScaleServer> {
  const flags = ['--expose-gc', '--max-old-space-size=4096']
  const args = [...flags, 'bench/servers/scale.ts', JSON.stringify(settings)]
  const { described, close } = await startServer<Pick<ScaleServer, 'issuer' | 'pid'>>(args)
  const call = async (path: string, method = 'POST') => {
    const answer = await fetch(described.issuer + path, { method })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  return {
    ...described,
    weigh: async () => (await call('/weigh', 'GET')).json() as Promise<Weight>,
    seed: (count, keep) => seed(described.issuer, count, keep),
    approve: async (id) => void (await call(`/approve?auth_req_id=${id}`)),
    close,
  }
}

/** Opens requests as clients do, each of a user of its own, on connections that are closed afterwards. */
async function seed(issuer: string, count: number, keep: number): Promise<string[]> {
  const pool = new Pool(issuer, { connections: seeders, pipelining: 1 })
  const headers = formHeaders(basic)
  const ids: string[] = []
  await each(count, seeders, async (n) => {
    const body = `scope=openid&login_hint=user-${n}`
    const answer = await pool.request({ path: '/oidc/backchannel', method: 'POST', headers, body })
    const { auth_req_id } = (await answer.body.json()) as { auth_req_id?: string }
    if (auth_req_id === undefined) throw new Error(`a request was answered ${answer.statusCode}`)
    if (n < keep) ids.push(auth_req_id)
  })
  await pool.close()
  return ids
}
