import { type Check, type Finding, found } from './checks/catalogue.ts'
import type { Plan } from './config.ts'
import { Skipped, Stopped, type Verdict, verdictOf } from './findings.ts'
import { createHttp } from './http.ts'
import type { Limit } from './limit.ts'
import type { Credentials } from './material.ts'
import { type Parties, registerParties, staticParties } from './parties.ts'
import { modulesFor } from './plan.ts'
import type { Receiver } from './receiver.ts'
import { readServer, type Server } from './server.ts'
import { createJudge, type Module, sleep as realSleep, type Trial } from './trial.ts'

export interface Result {
  /** `poll private_key_jwt` … */
  readonly variant: string
  readonly module: Pick<Module, 'id' | 'name'>
  readonly verdict: Verdict
  readonly findings: readonly Finding[]
  /** Why it was skipped. */
  readonly reason?: string | undefined
  readonly seconds: number
}

export interface RunOptions {
  readonly receiver: Pick<Receiver, 'url' | 'expect'>
  /** Modules at a time, of all plans together; one by one as the real suite does. */
  readonly limit: Limit
  /** Only these modules, by id. */
  readonly only?: readonly string[] | undefined
  /** Keys and certificates for dynamic clients. */
  readonly credentials: readonly [Credentials, Credentials]
  report(result: Result): void
  /** Asks a human, where the configuration has no approval URL. */
  tell(text: string): void
  /** Defaults to the real thing. */
  readonly sleep?: Trial['sleep']
}

export function variantOf({ mode, auth, registration }: Plan): string {
  return `${mode} ${auth}${registration === 'dynamic_client' ? ' dynamic' : ''}`
}

/** Runs the plan once. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<Result[]> {
  const { config, mode, auth, registration } = plan
  const modules = modulesFor(auth, mode).filter(({ id }) => options.only?.includes(id) ?? true)
  const http = createHttp(config.mtls)
  const server = await readServer(config, http)
  const shared = registration === 'static_client' ? staticParties(plan) : undefined
  try {
    return await Promise.all(
      modules.map((module) =>
        options.limit(async () => {
          const result = await runModule(module, { plan, server, shared, options })
          options.report(result)
          return result
        }),
      ),
    )
  } finally {
    await Promise.all([http.close(), shared?.close()])
  }
}

/** What a module runs in. */
export interface Around {
  readonly plan: Plan
  readonly server: Server
  readonly shared: Parties | undefined
  readonly options: RunOptions
}

export async function runModule(module: Module, { plan, server, shared, options }: Around): Promise<Result> {
  const { receiver, credentials, tell, sleep = realSleep } = options
  const judge = createJudge()
  const guests: Trial['guests'] = []
  const started = Date.now()
  let reason: string | undefined
  let parties: Parties | undefined
  try {
    await judge.check(server.findings)
    parties =
      shared ??
      (await registerParties({ plan, server, judge, credentials, refresh: module.refresh === true, receiver }))
    await judge.check(parties.faults(server))
    const { client1, client2 } = parties
    await module.run({ ...plan, ...judge, client1, client2, server, receiver, guests, tell, sleep })
  } catch (thrown) {
    if (thrown instanceof Skipped) reason = thrown.message
    else if (!(thrown instanceof Stopped)) judge.findings.push(found('X error', String(thrown)))
  }
  for (const guest of guests) judge.findings.push(...afterwards(guest))
  if (parties !== undefined && parties !== shared) await parties.close().catch(() => {})
  const verdict = verdictOf(judge.findings)
  return {
    variant: variantOf(plan),
    module,
    verdict: reason !== undefined && verdict === 'PASSED' ? 'SKIPPED' : verdict,
    findings: judge.findings,
    reason,
    seconds: (Date.now() - started) / 1000,
  }
}

function* afterwards({ calls, followed }: Trial['guests'][number]): Check {
  if (calls.length > 1) yield found('N8 second ping', `${calls.length} calls for one request`)
  if (followed.length > 0) yield found('N8 redirect followed', 'the address of the redirect was called')
}

/** What came to the notification endpoint and belonged to nobody. */
export function strayResult({ strays }: Pick<Receiver, 'strays'>): Result | undefined {
  if (strays.length === 0) return undefined
  const findings = strays.map(({ path, call }) => found('N6 stray call', `${path}: ${call.body}`))
  const module = { id: '---', name: 'notification-endpoint' }
  return { variant: 'all', module, verdict: 'FAILED', findings, seconds: 0 }
}
