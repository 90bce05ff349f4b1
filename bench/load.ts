import { randomUUID } from 'node:crypto'
import { type CryptoKey, SignJWT } from 'jose'
import { Pool } from 'undici'
import { basic, formHeaders, pollOf } from './client.ts'
import { cpuOf } from './cpu.ts'
import { each as eachAtOnce } from './each.ts'
import type { Description } from './servers/describe.ts'

export const connections = 32

export interface Measure {
  readonly requests: number
  /** Server CPU, microseconds per counted request. */
  readonly cpu: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

interface Reply {
  readonly status: number
  readonly body: string
}

/** Drives one server. Every answer is looked at; a wrong one ends the run. */
export function createLoad(server: Description, assertionKey: CryptoKey) {
  const pool = new Pool(server.issuer, { connections, pipelining: 1 })
  const pathOf = (url: string) => url.slice(server.issuer.length)
  const backchannel = pathOf(server.backchannel_authentication_endpoint)
  const token = pathOf(server.token_endpoint)

  async function post(path: string, body: string, authorization?: string): Promise<Reply> {
    const answer = await pool.request({
      path,
      method: 'POST',
      headers: formHeaders(authorization),
      body,
    })
    return { status: answer.statusCode, body: await answer.body.text() }
  }

  async function start(): Promise<string> {
    return idIn(await post(backchannel, 'scope=openid&login_hint=alice', basic))
  }

  async function startSigned(assertion: string): Promise<string> {
    const type = encodeURIComponent('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const form = `scope=openid&login_hint=alice&client_id=jwt&client_assertion_type=${type}&client_assertion=${assertion}`
    return idIn(await post(backchannel, form))
  }

  const tokenCall = (id: string) => post(token, pollOf(id), basic)

  async function pollPending(id: string): Promise<void> {
    const { status, body } = await tokenCall(id)
    if (status !== 400 || JSON.parse(body).error !== 'authorization_pending')
      wrong(server, 'pending poll', status, body)
  }

  async function approve(id: string): Promise<void> {
    const path = pathOf(server.approve_url.replace('{auth_req_id}', id).replace('{action}', 'allow'))
    const { status, body } = await post(path, '')
    if (status !== 204) wrong(server, 'approval', status, body)
  }

  async function collect(id: string): Promise<void> {
    const { status, body } = await tokenCall(id)
    const { id_token, access_token } = JSON.parse(body)
    if (status !== 200 || id_token?.split('.').length !== 3 || !access_token) wrong(server, 'token call', status, body)
    if (JSON.parse(Buffer.from(id_token.split('.')[0], 'base64url').toString()).alg !== 'ES256') {
      wrong(server, 'ID token', status, body)
    }
  }

  function idIn({ status, body }: Reply): string {
    const { auth_req_id } = JSON.parse(body)
    if (status !== 200 || typeof auth_req_id !== 'string') wrong(server, 'backchannel request', status, body)
    return auth_req_id
  }

  const assertion = () =>
    new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer('jwt')
      .setSubject('jwt')
      .setAudience(server.issuer)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(assertionKey)

  async function approved(count: number): Promise<string[]> {
    const ids = await each(count, start)
    await each(count, (n) => approve(ids[n] ?? ''))
    return ids
  }

  /** What to prepare, and what to count. */
  const scenarios = {
    A: { prepare: async () => [] as string[], run: async () => void (await start()) },
    B: { prepare: (count: number) => each(count, start), run: pollPending },
    C: {
      prepare: async () => [] as string[],
      run: async () => {
        const id = await start()
        await approve(id)
        await collect(id)
      },
    },
    D: {
      prepare: (count: number) => each(count, assertion),
      run: async (jwt: string) => void (await startSigned(jwt)),
    },
    E: { prepare: approved, run: collect },
  }

  async function measure(scenario: keyof typeof scenarios, count: number): Promise<Measure> {
    const { prepare, run } = scenarios[scenario]
    const given = await prepare(count)
    const times = new Float64Array(count)
    const before = cpuOf(server.pid)
    await each(count, async (n) => {
      const began = performance.now()
      await run(given[n] ?? '')
      times[n] = performance.now() - began
    })
    const cpu = ((cpuOf(server.pid) - before) * 1e6) / count
    times.sort()
    return { requests: count, cpu, p50: times[Math.floor(count * 0.5)] ?? 0, p99: times[Math.floor(count * 0.99)] ?? 0 }
  }

  return { measure, close: () => pool.close() }
}

/** Runs a step `count` times, as many at once as there are connections. */
function each<T>(count: number, step: (n: number) => Promise<T>): Promise<T[]> {
  return eachAtOnce(count, connections, step)
}

function wrong({ name }: Description, what: string, status: number, body: string): never {
  throw new Error(`${name}: wrong answer to a ${what}: ${status} ${body.slice(0, 200)}`)
}
