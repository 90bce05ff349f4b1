/**
 * `npm run bench`: the project, oidc-provider and a bare Express floor, in one run, in rotating order.
 * CPU is read from outside; throughput on a shared machine is noise.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair } from 'jose'
import { createLoad, type Measure } from './load.ts'
import { type Description, secret } from './servers/describe.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const counts = { A: 6000, B: 8000, C: 3000, D: 4000, E: 4000 }
const scale = Number(process.env.SCALE ?? 1)
const wanted = (process.env.SCENARIOS ?? 'ABCDE').split('') as (keyof typeof counts)[]
const names = (process.env.SERVERS ?? 'floor,express-ciba,oidc-provider').split(',')

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'express-ciba-bench-'))
const { privateKey, publicKey } = await generateKeyPair('ES256')
const clientJwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }
const clientOptions = { grant_types: ['urn:openid:params:grant-type:ciba'], backchannel_token_delivery_mode: 'poll' }
writeFileSync(
  join(folder, 'op.json'),
  JSON.stringify({
    approve: true,
    clients: [
      {
        ...clientOptions,
        client_id: 'basic',
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        ...clientOptions,
        client_id: 'jwt',
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [clientJwk] },
      },
    ],
    // one user and one client stand for all: budgets that protect a person would stop the run
    options: { openRequestsPerUser: 0 },
  }),
)

const programs: Record<string, string[]> = {
  floor: ['bench/servers/floor.ts'],
  'express-ciba': ['examples/op/main.ts', join(folder, 'op.json')],
  'oidc-provider': ['bench/servers/oidcProvider.ts'],
}

async function startServer(name: string): Promise<{ child: ChildProcess; description: Description }> {
  const child = spawn(process.execPath, ['--import', 'tsx', ...(programs[name] ?? [])], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', BENCH_PARENT: '1', BENCH_CLIENT_JWK: JSON.stringify(clientJwk) },
    stdio: ['pipe', 'pipe', process.env.DEBUG ? 'inherit' : 'ignore'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) return { child, description: JSON.parse(line) }
  }
  throw new Error(`${name} did not start`)
}

type Results = Record<string, Record<string, Measure[]>>
const results: Results = {}
try {
  for (let round = 0; round < rounds; round++) {
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
    for (const name of order) {
      const { child, description } = await startServer(name)
      const load = createLoad(description, privateKey)
      for (const scenario of wanted) {
        const count = Math.round(counts[scenario] * scale)
        await load.measure(scenario, Math.ceil(count / 4)) // warm-up
        const measure = await load.measure(scenario, count)
        results[name] ??= {}
        results[name][scenario] ??= []
        results[name][scenario].push(measure)
        console.error(
          `round ${round + 1} ${name.padEnd(13)} ${scenario} ${measure.cpu.toFixed(0).padStart(5)} µs/request`,
        )
      }
      await load.close()
      child.stdin?.end()
      await new Promise((resolve) => child.once('exit', resolve))
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const rows = wanted.flatMap((scenario) =>
  names.map((name) => {
    const mine = results[name]?.[scenario] ?? []
    const floor = results.floor?.[scenario] ?? []
    const ratios = mine.map((each, round) => each.cpu / (floor[round]?.cpu ?? Number.NaN))
    return {
      scenario,
      server: name,
      'CPU µs': Number(median(mine.map((each) => each.cpu)).toFixed(0)),
      '× floor': Number(median(ratios).toFixed(2)),
      'per round': ratios.map((ratio) => ratio.toFixed(2)).join(' '),
      'p50 ms': Number(median(mine.map((each) => each.p50)).toFixed(2)),
      'p99 ms': Number(median(mine.map((each) => each.p99)).toFixed(2)),
    }
  }),
)
console.table(rows)
mkdirSync(join(root, 'bench/results'), { recursive: true })
const date = new Date().toISOString().slice(0, 10)
const machine = { node: process.version, cores: cpus().length, model: cpus()[0]?.model, rounds, scale }
writeFileSync(
  join(root, `bench/results/${process.env.OUT ?? 'latest'}.json`),
  `${JSON.stringify({ date, machine, rows, results }, null, 1)}\n`,
)
