/**
 * `npm run bench:scale`: how cost grows. Polls with few and many open requests on each store, start-up, and long polling:
 * what ten thousand held polls weigh, and how soon they hear of the answer. `SCALE=0.01` makes it small.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startPostgres, startRedis } from '../test/helpers/servers.ts'
import { measureDecisions, weighHeld } from './scale/held.ts'
import { measureOpen } from './scale/open.ts'
import { measureStartup } from './scale/startup.ts'

const scale = Number(process.env.SCALE ?? 1)
const root = fileURLToPath(new URL('..', import.meta.url))

const startup = measureStartup()
const { packages, ...times } = startup
console.table({ startup: times })
console.log(`packages loaded by then: ${packages.join(' ')}`)

const redis = await startRedis()
// no housekeeping of its own meanwhile, which would be counted as the cost of polls
const postgres = await startPostgres({ settings: { autovacuum: 'off', synchronous_commit: 'off' } })
const backends = [
  { name: 'memory' },
  { name: 'redis', url: redis.url, pid: redis.pid },
  { name: 'postgres', url: postgres.url, pid: postgres.pid },
]
const held = await weighHeld(Math.round(10_000 * scale))
console.table({ held })
const decisions = []
for (const backend of backends) decisions.push(await measureDecisions(backend))
console.table(decisions)
const open = []
for (const backend of backends) open.push(...(await measureOpen(backend, scale)))
console.table(open)
await redis.close()
await postgres.close()

mkdirSync(`${root}bench/results`, { recursive: true })
const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model, scale }
const results = { date: new Date().toISOString().slice(0, 10), machine, startup, held, decisions, open }
writeFileSync(`${root}bench/results/${process.env.OUT ?? 'latest-scale'}.json`, `${JSON.stringify(results, null, 2)}\n`)
