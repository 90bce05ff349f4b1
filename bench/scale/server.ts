import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

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
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--max-old-space-size=4096', '--import', 'tsx', 'bench/servers/scale.ts', JSON.stringify(settings)],
    {
      cwd: root,
      env: { ...process.env, TSX_TSCONFIG_PATH: 'bench/tsconfig.json', NODE_ENV: 'production' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const { issuer, pid } = JSON.parse(line)
    const call = async (path: string, method = 'POST') => {
      const answer = await fetch(issuer + path, { method })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return answer
    }
    return {
      issuer,
      pid,
      weigh: async () => (await call('/weigh', 'GET')).json() as Promise<Weight>,
      seed: async (count, keep) => (await call(`/seed?count=${count}&keep=${keep}`)).json() as Promise<string[]>,
      approve: async (id) => void (await call(`/approve?auth_req_id=${id}`)),
      async close() {
        const ended = new Promise((resolve) => child.once('exit', resolve))
        child.stdin?.end()
        await ended
      },
    }
  }
  throw new Error('the server did not start')
}
