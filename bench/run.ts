/**
 * `npm run bench`: the project, oidc-provider and a bare Express floor, in one run, in rotating order.
 * CPU is read from outside; throughput on a shared machine is noise. The project is measured as it is published: built.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair } from 'jose'
import { basicClient } from './client.ts'
import { createLoad, type Measure } from './load.ts'
import { startServer } from './process.ts'
import type { Description } from './servers/describe.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const counts = { A: 12_000, B: 16_000, C: 6000, D: 8000, E: 8000 }
const scale = Number(process.env.SCALE ?? 1)
const wanted = (process.env.SCENARIOS ?? 'ABCDE').split('') as (keyof typeof counts)[]
const names = (process.env.SERVERS ?? 'floor,express-ciba,express-ciba-jwt,oidc-provider').split(',')
/** Scenarios that differ from those of the server before. */
const only: Partial<Record<string, string>> = { 'express-ciba-jwt': 'CE' }

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'express-ciba-bench-'))
const { privateKey, publicKey } = await generateKeyPair('ES256')
const clientJwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }
writeFileSync(
  join(folder, 'op.json'),
  JSON.stringify({
    approve: true,
    clients: [
      basicClient,
      {
        ...basicClient,
        client_id: 'jwt',
        client_secret: undefined,
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [clientJwk] },
      },
    ],
  }),
)

const programs: Record<string, string[]> = {
  floor: ['bench/servers/floor.ts'],
  'express-ciba': ['bench/servers/expressCiba.ts', join(folder, 'op.json'), 'opaque'],
  'express-ciba-jwt': ['bench/servers/expressCiba.ts', join(folder, 'op.json'), 'jwt'],
  'oidc-provider': ['bench/servers/oidcProvider.ts'],
}

/** In a process of its own, so that nothing is left of another scenario. */
async function measured(name: string, scenario: keyof typeof counts): Promise<Measure> {
  const { described, close } = await startServer<Description>(programs[name] ?? [], {
    BENCH_CLIENT_JWK: JSON.stringify(clientJwk),
  })
  const load = createLoad(described, privateKey)
  const count = Math.round(counts[scenario] * scale)
  await load.measure(scenario, Math.ceil(count / 2)) // warm-up
  const measure = await load.measure(scenario, count)
  await load.close()
  await close()
  return measure
}

type Results = Record<string, Record<string, Measure[]>>
const results: Results = {}
try {
  for (let round = 0; round < rounds; round++) {
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
    for (const scenario of wanted) {
      for (const name of order) {
        if (only[name]?.includes(scenario) === false) continue
        const measure = await measured(name, scenario)
        results[name] ??= {}
        results[name][scenario] ??= []
        results[name][scenario].push(measure)
        console.error(
          `round ${round + 1} ${name.padEnd(16)} ${scenario} ${measure.cpu.toFixed(0).padStart(5)} µs/request`,
        )
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const rows = wanted.flatMap((scenario) =>
  names
    .filter((name) => results[name]?.[scenario] !== undefined)
    .map((name) => {
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
  `${JSON.stringify({ date, machine, rows, results }, null, 2)}\n`,
)
