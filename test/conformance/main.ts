/**
 * The OpenID FAPI-CIBA test plan as a program: `npm run conformance`. See README.md beside it.
 */
import { parseArgs } from 'node:util'
import { authTypes, type Plan, plansOf, readPlans, registrations } from './config.ts'
import { makeMaterial } from './material.ts'
import { startReceiver } from './receiver.ts'
import { lineOf, summaryOf } from './report.ts'
import { type Result, runPlan, strayResult } from './run.ts'
import { startTarget, type TargetName, targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    target: { type: 'string', default: 'op' },
    mode: { type: 'string' },
    auth: { type: 'string' },
    registration: { type: 'string' },
    module: { type: 'string' },
    serial: { type: 'boolean', default: false },
    'notify-port': { type: 'string', default: '0' },
    'notify-url': { type: 'string' },
  },
})

if (!Object.hasOwn(targets, values.target)) {
  console.error(`--target must be one of ${Object.keys(targets).join(', ')}`)
  process.exit(2)
}
const started = Date.now()
const material = makeMaterial()
const receiver = await startReceiver({
  ...material.server,
  port: Number(values['notify-port']),
  publicUrl: values['notify-url'],
})
const target =
  values.config === undefined
    ? await startTarget(values.target as TargetName, { material, notifyAt: receiver.url, registrations })
    : undefined
const results: Result[] = []

try {
  const plans = (target === undefined ? readPlans(values.config ?? '') : plansOf(target.configs)).filter(isWanted)
  if (plans.length === 0) throw new Error('No plan is left to run')
  console.log(`Testing ${target?.name ?? plans[0]?.config.server.discoveryUrl}`)
  const run = async (plan: Plan) => {
    results.push(
      ...(await runPlan(plan, {
        receiver,
        concurrency: values.serial ? 1 : authTypes.length * 25,
        only: values.module?.split(','),
        credentials: material.dynamic,
        report: (result) => console.log(lineOf(result)),
        tell: (text) => console.error(text),
      })),
    )
  }
  if (values.serial) for (const plan of plans) await run(plan)
  else await Promise.all(plans.map(run))
  const stray = strayResult(receiver)
  if (stray !== undefined) results.push(stray)
} finally {
  await target?.stop()
  await receiver.close()
}

console.log(summaryOf(results, (Date.now() - started) / 1000))
process.exitCode = results.some(({ verdict }) => verdict === 'FAILED') ? 1 : 0

function isWanted({ mode, auth, registration }: Plan): boolean {
  return (
    mode === (values.mode ?? mode) &&
    auth === (values.auth ?? auth) &&
    registration === (values.registration ?? registration)
  )
}
