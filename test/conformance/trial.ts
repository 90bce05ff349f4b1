import { setTimeout as wait } from 'node:timers/promises'
import { type CheckId, type Finding, type Findings, found } from './checks/catalogue.ts'
import type { AuthType, Config, Mode, Registration } from './config.ts'
import { collect, Stopped } from './findings.ts'
import type { Guest } from './guests.ts'
import type { Party } from './party.ts'
import type { Receiver } from './receiver.ts'
import type { Server } from './server.ts'

/** What one run of one module has at hand. */
export interface Trial {
  readonly config: Config
  readonly mode: Mode
  readonly auth: AuthType
  readonly registration: Registration
  readonly server: Server
  readonly client1: Party
  readonly client2: Party
  readonly receiver: Pick<Receiver, 'expect'>
  readonly findings: Finding[]
  /** Who waited for a ping. */
  readonly guests: Guest[]
  /** Keeps what the check finds; ends the module when it says stop. */
  check(findings: Findings): Promise<void>
  /** Speaks to whoever runs this. */
  tell(text: string): void
  /** Fails and ends the module. */
  stop(check: CheckId, text: string): never
  /** Ends early, quietly, when the signal comes. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>
}

/** Something the plan tests. */
export interface Module {
  /** `M01` … */
  readonly id: string
  /** The suite's name for it, after `fapi-ciba-id1-`. */
  readonly name: string
  readonly only?: AuthType | Mode
  /** Asks for `refresh_token` when it registers clients. */
  readonly refresh?: true
  run(trial: Trial): Promise<void>
}

/** The part of a trial that keeps the findings. */
export function createJudge(): Pick<Trial, 'findings' | 'check' | 'stop'> {
  const findings: Finding[] = []
  return {
    findings,
    async check(found) {
      const all = await collect(found)
      findings.push(...all)
      if (all.some(({ level }) => level === 'stop')) throw new Stopped()
    },
    stop(check, text) {
      findings.push(found(check, text))
      throw new Stopped()
    },
  }
}

export async function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  await wait(seconds * 1000, undefined, signal === undefined ? {} : { signal }).catch(() => {})
}
