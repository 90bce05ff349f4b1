import { startServer } from '../process.ts'

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
    seed: async (count, keep) => (await call(`/seed?count=${count}&keep=${keep}`)).json() as Promise<string[]>,
    approve: async (id) => void (await call(`/approve?auth_req_id=${id}`)),
    close,
  }
}
