import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { privateJwk } from '../helpers/tokens.ts'
import type { StoreSettings } from './backends.ts'
import type { ServerSettings } from './server.ts'

const script = fileURLToPath(new URL('./server.ts', import.meta.url))
const shared = {
  keys: { keys: [privateJwk('P-256', { kid: 'one', alg: 'ES256' })] },
  secret: 'shared-by-all-processes-0123456789',
}
const authorization = `Basic ${Buffer.from('till:secret-of-till-0123456789-0123456789').toString('base64')}`

export interface Answer {
  /** 0: the connection was lost. */
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: {
    readonly error?: string
    readonly auth_req_id?: string
    readonly access_token?: string
  }
}

/** One process that serves logins. */
export interface Node {
  /** Asks for an approval by a user of the same name. */
  start(user: string, more?: Record<string, string>): Promise<Answer>
  decide(user: string, authReqId: string, approved: boolean): Promise<Answer>
  poll(authReqId: string): Promise<Answer>
  /** Bytes in use after a collection, and open file handles. */
  weigh(): Promise<{ readonly heap: number; readonly handles: number }>
  /** `kill -9`. */
  kill(): Promise<void>
}

/** @param onStep Called at every step of the store, which goes on when it resolves. */
export async function startNode(store: StoreSettings, onStep?: (step: string) => Promise<void>): Promise<Node> {
  const settings: ServerSettings = { ...shared, store, steps: onStep !== undefined }
  const child = fork(script, [JSON.stringify(settings)], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
    env: environment(),
  })
  const port = await portOf(child)
  child.on('message', async ({ step }: { step?: string }) => {
    if (step === undefined) return
    await onStep?.(step)
    if (child.connected) child.send('go', () => {})
  })
  const http = new Pool(`http://127.0.0.1:${port}`, { connections: 32 })

  async function post(path: string, headers: Record<string, string>, body: string): Promise<Answer> {
    try {
      const answer = await http.request({ method: 'POST', path, headers, body })
      const text = await answer.body.text()
      const retryAfter = answer.headers['retry-after']?.toString()
      return { status: answer.statusCode, retryAfter, body: text.startsWith('{') ? JSON.parse(text) : {} }
    } catch {
      return { status: 0, retryAfter: undefined, body: {} }
    }
  }
  const form = { authorization, 'content-type': 'application/x-www-form-urlencoded' }

  return {
    start: (user, more = {}) =>
      post('/oidc/backchannel', form, String(new URLSearchParams({ scope: 'openid', login_hint: user, ...more }))),
    decide: (user, authReqId, approved) =>
      post(
        '/auth/backchannel/complete',
        { authorization: `Bearer ${user}`, 'content-type': 'application/json' },
        JSON.stringify({ auth_req_id: authReqId, approved }),
      ),
    poll: (authReqId) =>
      post(
        '/oidc/token',
        form,
        String(new URLSearchParams({ grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId })),
      ),
    async weigh() {
      const heap = new Promise<number>((resolve) => {
        const hear = ({ heap }: { heap?: number }) => {
          if (heap === undefined) return
          child.off('message', hear)
          resolve(heap)
        }
        child.on('message', hear)
      })
      child.send('heap')
      return { heap: await heap, handles: readdirSync(`/proc/${child.pid}/fd`).length }
    },
    async kill() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await gone
      }
      await http.destroy()
    },
  }
}

/** Does something with a number of processes that share a store, and ends them. */
export async function withFleet<T>(
  store: StoreSettings,
  size: number,
  use: (fleet: readonly Node[]) => Promise<T>,
): Promise<T> {
  const fleet = await Promise.all(Array.from({ length: size }, () => startNode(store)))
  try {
    return await use(fleet)
  } finally {
    await Promise.all(fleet.map((node) => node.kill()))
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port))
    child.once('exit', (code) => reject(new Error(`a server process ended with ${code} before it listened`)))
  })
}

/** What the tests' own process was started with is not for its children. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env
  return env
}
