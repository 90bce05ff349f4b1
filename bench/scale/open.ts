import { Pool } from 'undici'
import { basic, formHeaders, pollOf } from '../client.ts'
import { cpuOf, cpuOfFamily } from '../cpu.ts'
import { startScaleServer } from './server.ts'

/** Where requests live. */
export interface Backend {
  readonly name: string
  readonly url?: string
  /** The backend's own process. */
  readonly pid?: number
}

const sizes = [10, 10_000, 1_000_000]
const polls = 8_000
/** No more at a time than there are requests, so that none is polled twice at once. */
const workers = 8
const rounds = 3

/** What a poll costs with few and with many open requests, and what one open request weighs in memory. */
export async function measureOpen({ name, url, pid }: Backend, scale: number) {
  const rows = []
  for (const size of sizes.map((each) => Math.max(10, Math.round(each * scale)))) {
    const server = await startScaleServer({ store: url })
    const before = await server.weigh()
    const ids = await server.seed(size, Math.min(size, 4_000))
    const after = await server.weigh()
    const pool = new Pool(server.issuer, { connections: workers, pipelining: 1 })
    const poll = async (id = '') => {
      const body = pollOf(id)
      const answer = await pool.request({ path: '/oidc/token', method: 'POST', headers: formHeaders(basic), body })
      const { error } = (await answer.body.json()) as { error?: string }
      if (error !== 'authorization_pending') throw new Error(`${name}: a poll was answered ${error}`)
    }
    /** Each worker has requests of its own. */
    const pollAll = () =>
      Promise.all(
        Array.from({ length: workers }, async (_, worker) => {
          const mine = ids.filter((_id, n) => n % workers === worker)
          for (let n = 0; n < polls / workers; n++) await poll(mine[n % mine.length])
        }),
      )
    await pollAll()
    const costs: { readonly server: number; readonly backend: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const [ours, theirs] = [cpuOf(server.pid), pid === undefined ? 0 : cpuOfFamily(pid)]
      await pollAll()
      costs.push({ server: cpuOf(server.pid) - ours, backend: pid === undefined ? 0 : cpuOfFamily(pid) - theirs })
    }
    const middle = (of: 'server' | 'backend') =>
      Math.round(((costs.map((each) => each[of]).sort((a, b) => a - b)[1] ?? 0) * 1e6) / polls)
    rows.push({
      store: name,
      'open requests': size,
      'CPU µs per poll, server': middle('server'),
      'CPU µs per poll, store': middle('backend'),
      // a few requests weigh less than what else moves meanwhile
      'heap bytes per request':
        url === undefined && size > 1_000 ? Math.round((after.heap - before.heap) / size) : null,
    })
    await pool.close()
    await server.close()
  }
  return rows
}
