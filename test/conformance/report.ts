import type { Finding } from './checks/catalogue.ts'
import type { Result } from './run.ts'

/** One line for a module. */
export function lineOf({ variant, module, verdict, findings, reason, seconds }: Result): string {
  const why = reason === undefined ? textOf(findings) : [reason, textOf(findings)].filter(Boolean).join('; ')
  const name = module.name === '' ? '(the plan itself)' : module.name
  return `${verdict.padEnd(8)} ${variant.padEnd(29)} ${module.id}  ${name}${why === '' ? '' : `\n         ${why}`}  [${seconds.toFixed(1)} s]`
}

/** What it all comes to. */
export function summaryOf(results: readonly Result[], seconds: number): string {
  const lines = [...new Set(results.map(({ variant }) => variant))].sort().map((variant) => {
    const of = results.filter((result) => result.variant === variant)
    return `${variant.padEnd(30)} ${of.length} modules: ${countsOf(of)}`
  })
  const failed = results.filter(({ verdict }) => verdict === 'FAILED')
  const list = failed.length === 0 ? [] : ['', 'Failed:', ...failed.map(lineOf)]
  return ['', ...lines, ...list, '', `${results.length} modules in ${seconds.toFixed(0)} s: ${countsOf(results)}`].join(
    '\n',
  )
}

function countsOf(results: readonly Result[]): string {
  const verdicts = ['PASSED', 'WARNING', 'REVIEW', 'SKIPPED', 'FAILED'] as const
  return verdicts
    .map((verdict) => [results.filter((result) => result.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`)
    .join(', ')
}

function textOf(findings: readonly Finding[]): string {
  return findings.map(({ check, text }) => `${check}: ${text}`).join('; ')
}
