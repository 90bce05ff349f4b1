/**
 * The OpenID FAPI-CIBA test plan as a program: `npm run conformance`. See README.md beside it.
 */
import { readArguments } from './arguments.ts'
import { type Plan, plansOf, readPlans } from './config.ts'
import { createLimit } from './limit.ts'
import { makeMaterial } from './material.ts'
import { startReceiver } from './receiver.ts'
import { lineOf, summaryOf } from './report.ts'
import { type Result, runPlan, strayResult } from './run.ts'
import { startStore } from './storeServer.ts'
import { startTarget } from './targets.ts'

const started = Date.now()
const { config, target: name, notify, store: storeName, serial, modules, wants } = readArguments()
const given = config === undefined ? undefined : readOrEnd(config).filter(wants)
const material = makeMaterial()
const receiver = await startReceiver({ ...material.server, ...notify })
const store = await startStore(storeName)
const target =
  given === undefined ? await startTarget(name, { material, notifyAt: receiver.url, storeUrl: store?.url }) : undefined
const plans = given ?? plansOf(target?.configs).filter(wants)
const results: Result[] = []
const limit = createLimit(serial ? 1 : 40)

try {
  console.log(`Testing ${target?.name ?? plans[0]?.config.server.discoveryUrl}`)
  if (serial) for (const plan of plans) await run(plan)
  else await Promise.all(plans.map(run))
  const stray = strayResult(receiver)
  if (stray !== undefined) results.push(stray)
} finally {
  await target?.stop()
  await receiver.close()
  await store?.close()
}

console.log(summaryOf(results, (Date.now() - started) / 1000))
const failed = results.length === 0 || results.some(({ verdict }) => verdict === 'FAILED')
process.exitCode = failed ? 1 : 0

async function run(plan: Plan): Promise<void> {
  const done = await runPlan(plan, {
    receiver,
    limit,
    only: modules,
    credentials: material.dynamic,
    report: (result) => console.log(lineOf(result)),
    tell: (text) => console.error(text),
  })
  results.push(...done)
}

function readOrEnd(file: string): Plan[] {
  try {
    return readPlans(file)
  } catch (problem) {
    console.error(`${file}: ${(problem as Error).message}`)
    process.exit(2)
  }
}
