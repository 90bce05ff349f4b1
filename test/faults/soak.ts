/**
 * `npm run soak [seconds]`: one server at full rate, 600 seconds by default, on Redis and then on PostgreSQL, each of which goes away twice.
 * Ends with 1 when something that was acknowledged is lost, when heap or file handles grow, or when an answer is none of ours.
 */
import { performance } from 'node:perf_hooks'
import { backends } from './backends.ts'
import { type Node, withFleet } from './fleet.ts'
import { inParallel, sleep, wordFor } from './tally.ts'

const seconds = Number(process.argv[2] ?? 600)
const workers = 32
const awaySeconds = 2

interface Open {
  readonly user: string
  readonly authReqId: string
}

interface Soaked {
  calls: number
  outages: number
  lost: number
  wrong: number
}

/** What a call is told while the store is away. */
const outageWords = ['temporarily_unavailable', 'lost connection']

async function soak(name: string, node: Node, kill: () => Promise<void>, start: () => Promise<void>): Promise<boolean> {
  const soaked: Soaked = { calls: 0, outages: 0, lost: 0, wrong: 0 }
  const open: Open[] = []
  const until = performance.now() + seconds * 1000
  const count = (word: string, fine: readonly string[]) => {
    soaked.calls += 1
    if (outageWords.includes(word)) soaked.outages += 1
    else if (!fine.includes(word)) soaked.wrong += 1
  }

  const load = inParallel(workers, workers, async (worker) => {
    for (let n = 0; performance.now() < until; n++) {
      const user = `${name}-${worker}-${n}`
      const started = await node.start(user, { requested_expiry: String(seconds + 600) })
      count(wordFor(started), ['done'])
      const authReqId = started.body.auth_req_id
      if (authReqId === undefined) continue
      // one in fifty stays open, to be asked for at the end
      if (n % 50 === 49) {
        open.push({ user, authReqId })
        continue
      }
      count(wordFor(await node.decide(user, authReqId, true)), ['done'])
      count(wordFor(await node.poll(authReqId)), ['tokens', 'authorization_pending'])
    }
  })
  const weights: { readonly heap: number; readonly handles: number }[] = []
  for (const phase of [1, 2]) {
    await sleep((seconds * 1000) / 3)
    weights.push(await node.weigh())
    console.log(`${name}: going away for ${awaySeconds} s, time ${phase}`)
    await kill()
    await sleep(awaySeconds * 1000)
    await start()
  }
  await load
  weights.push(await node.weigh())

  for (const { user, authReqId } of open) {
    if ((await collected(node, user, authReqId)) !== 'tokens') soaked.lost += 1
  }
  const [first, , last] = weights
  const heapGrowth = (last?.heap ?? 0) / (first?.heap ?? 1)
  const handleGrowth = (last?.handles ?? 0) - (first?.handles ?? 0)
  console.table([
    {
      store: name,
      seconds,
      ...soaked,
      'calls/s': Math.round(soaked.calls / seconds),
      kept: open.length - soaked.lost,
      heap: weights.map(({ heap }) => `${(heap / 1e6).toFixed(1)} MB`).join(' → '),
      handles: weights.map(({ handles }) => handles).join(' → '),
    },
  ])
  return soaked.lost === 0 && soaked.wrong === 0 && heapGrowth < 1.2 && handleGrowth < 10
}

/** What becomes of a request once the store answers again: after a short run it may have just come back. */
async function collected(node: Node, user: string, authReqId: string): Promise<string> {
  for (let tries = 0; ; tries++) {
    const words = [wordFor(await node.decide(user, authReqId, true)), wordFor(await node.poll(authReqId))] as const
    if (tries === 50 || !words.some((word) => outageWords.includes(word))) return words[1]
    await sleep(200)
  }
}

let fine = true
for (const backend of backends().filter((each) => /everysec|^postgres/.test(each.name))) {
  if (backend.missing !== undefined || backend.start === undefined) {
    console.log(`SKIPPED: ${backend.missing}`)
    continue
  }
  const server = await backend.start()
  try {
    const settings = { kind: backend.kind, url: server.url }
    const passed = await withFleet(settings, 1, ([node]) =>
      soak(
        backend.kind,
        node as Node,
        () => server.kill(),
        async () => void (await server.start()),
      ),
    )
    fine &&= passed
  } finally {
    await server.close()
  }
}
process.exitCode = fine ? 0 : 1
