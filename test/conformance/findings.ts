import type { Finding, Findings, Level } from './checks/catalogue.ts'

export type Verdict = 'PASSED' | 'WARNING' | 'REVIEW' | 'SKIPPED' | 'FAILED'

/** Ends a module: nothing that follows would mean anything. */
export class Stopped extends Error {}

/** Ends a module that does not apply to this server. */
export class Skipped extends Error {}

/** Runs a check up to the first finding that stops it. */
export async function collect(findings: Findings): Promise<Finding[]> {
  const all: Finding[] = []
  for await (const finding of findings) {
    all.push(finding)
    if (finding.level === 'stop') break
  }
  return all
}

/** What a module comes to. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  const has = (level: Level) => findings.some((finding) => finding.level === level)
  if (has('stop') || has('fail')) return 'FAILED'
  if (has('review')) return 'REVIEW'
  return has('warn') ? 'WARNING' : 'PASSED'
}

/** Ends a module that has nothing to test here. */
export function skipWithout(condition: boolean, why: string): void {
  if (!condition) throw new Skipped(why)
}
