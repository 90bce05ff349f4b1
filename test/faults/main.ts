/**
 * `npm run test:faults`: exactly one token set per request, and nothing lost that was acknowledged, whoever races or dies.
 * Real processes, real servers. `FULL=1` for the full numbers; `-- redis postgres` for some stores only.
 */
import { type Backend, backends } from './backends.ts'
import { withFleet } from './fleet.ts'
import { killBetweenSteps } from './kills.ts'
import { outagesUnderLoad } from './outages.ts'
import { raceDecisions, raceExpiry, racePolls } from './races.ts'
import { newTally, type Tally } from './tally.ts'

const full = process.env.FULL === '1'
const size = full
  ? { processes: 8, polls: 1000, decisions: 500, expiries: 240, outages: 5 }
  : { processes: 4, polls: 60, decisions: 40, expiries: 60, outages: 1 }
const only = process.argv.slice(2)

async function run(backend: Backend): Promise<Tally> {
  const tally = newTally()
  const server = await backend.start?.()
  const store = { kind: backend.kind, ...(server === undefined ? {} : { url: server.url }) }
  const does = (what: Backend['short'][number]) => full || backend.short.includes(what)
  const processes = backend.kind === 'memory' ? 1 : size.processes
  try {
    await withFleet(store, processes, async (fleet) => {
      if (does('races')) {
        await racePolls(fleet, size.polls, tally)
        await raceDecisions(fleet, size.decisions, tally)
        await raceExpiry(fleet, size.expiries, tally)
      }
      if (server !== undefined && does('outages')) await outagesUnderLoad(fleet, server, size.outages, backend, tally)
    })
    if (does('kills')) {
      const steps = await killBetweenSteps(backend, store, tally)
      console.log(`${backend.name}: killed ${steps.join(', ')}`)
    }
  } finally {
    await server?.close()
  }
  return tally
}

const started = Date.now()
const rows: Record<string, string | number>[] = []
let failed = false
for (const backend of backends()) {
  if (only.length > 0 && !only.some((name) => backend.name.startsWith(name))) continue
  if (backend.missing !== undefined) {
    console.log(`SKIPPED ${backend.name}: ${backend.missing}`)
    continue
  }
  const { rounds, races, kills, doubles, lost, outages, wrong } = await run(backend)
  const mayLose = !backend.outlives.backend
  rows.push({
    store: backend.name,
    rounds,
    races,
    kills,
    'double issues': doubles,
    'lost acknowledged requests': mayLose && lost > 0 ? `${lost} (kept nowhere)` : lost,
    '503 answers': outages,
    'wrong answers': wrong.length,
  })
  for (const what of new Set(wrong)) console.log(`WRONG ${backend.name}: ${what}`)
  failed ||= doubles > 0 || wrong.length > 0 || (lost > 0 && !mayLose)
}
console.table(rows)
console.log(`Took ${Math.round((Date.now() - started) / 1000)} s${full ? '' : '; FULL=1 runs the full numbers'}`)
process.exitCode = failed ? 1 : 0
