#!/usr/bin/env node
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createBackchannel } from '../backchannel.ts'
import type { BackchannelOptions } from '../contracts/options.ts'
import { omitUndefined } from '../core/json.ts'
import type { Finding, HostApp } from './doctor.ts'

const usage = `Usage: express-ciba doctor <options module> [client_id ...]

Loads the module whose default export is the options of createBackchannelRouter, or a function that returns them,
checks everything that can be checked without a client or a user, and ends with 1 when something fails.
Where the module also exports your Express app as "app", the place of the router and "trust proxy" are checked.`

const [command, file, ...clientIds] = process.argv.slice(2)
if (command === 'doctor' && file !== undefined) {
  const code = await doctor(file, clientIds)
  // what the module opened, a pool or a server, would keep this process alive
  process.stdout.write('', () => process.exit(code))
} else {
  console.error(usage)
  process.exitCode = 2
}

async function doctor(file: string, clientIds: readonly string[]): Promise<number> {
  const findings = await findingsOf(file, clientIds)
  for (const each of findings) print(each)
  const failed = findings.filter(({ result }) => result === 'fail').length
  const warned = findings.filter(({ result }) => result === 'warn').length
  console.log(`\n${findings.length - failed - warned} passed, ${warned} to look at, ${failed} failed`)
  return failed > 0 ? 1 : 0
}

async function findingsOf(file: string, clientIds: readonly string[]): Promise<readonly Finding[]> {
  try {
    const module: { default?: unknown; app?: HostApp } = await import(pathToFileURL(resolve(file)).href)
    const options = typeof module.default === 'function' ? await module.default() : module.default
    const backchannel = createBackchannel({
      logger: { info() {}, warn() {}, error() {} },
      ...(options as BackchannelOptions),
    })
    const findings = await backchannel.doctor(omitUndefined({ clientIds, app: module.app }))
    await backchannel.close()
    return findings
  } catch (thrown) {
    return [{ check: 'start', result: 'fail', detail: (thrown as Error).message, remedy: 'Mend the options' }]
  }
}

function print({ check, result, detail, remedy }: Finding): void {
  const advice = remedy === undefined ? '' : `\n${' '.repeat(27)}→ ${remedy}`
  console.log(`${result.toUpperCase().padEnd(5)} ${check.padEnd(20)} ${detail}${advice}`)
}
