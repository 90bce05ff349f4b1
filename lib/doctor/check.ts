import { BackchannelError } from '../core/errors.ts'

/** One finding. `remedy` says what to do about a failure or a warning. */
export interface Finding {
  readonly check: string
  readonly result: 'pass' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

export function pass(check: string, detail: string): Finding {
  return { check, result: 'pass', detail }
}

/** A check by its name. What it throws is its finding. */
export type Check = readonly [name: string, run: () => Promise<Finding[]> | Finding[]]

/** Runs checks, one after the other. */
export async function findingsOf(checks: readonly Check[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const check of checks) findings.push(...(await runCheck(check)))
  return findings
}

/** Runs one check. Never rejects. */
export async function runCheck([check, run]: Check): Promise<Finding[]> {
  try {
    return await run()
  } catch (thrown) {
    const remedy = 'Mend what the message names, then run the doctor again'
    return [{ check, result: 'fail', detail: messageOf(thrown), remedy }]
  }
}

/** What is wrong, also where a guard has turned it into the words for clients. */
function messageOf(thrown: unknown): string {
  const cause = thrown instanceof BackchannelError ? thrown.cause : undefined
  return cause instanceof Error ? cause.message : (thrown as Error).message
}
