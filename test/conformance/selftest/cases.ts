import type { CheckId, Findings } from '../checks/catalogue.ts'
import type { Answer } from '../http.ts'

/** A broken answer, and the check that has to see it; `nothing` for a good one. */
export interface Case {
  readonly check: CheckId | 'nothing'
  readonly what: string
  readonly run: () => Findings | Promise<Findings>
}

export const sees = (check: Case['check'], what: string, run: Case['run']): Case => ({ check, what, run })

/** An answer as it would come from a server. */
export function answer(status: number, json: unknown, headers: Record<string, string | undefined> = {}): Answer {
  const text = JSON.stringify(json) ?? ''
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    text,
    json: text === '' ? undefined : JSON.parse(text),
  }
}

/** What a server that breaks off in HTML would answer. */
export const html: Answer = {
  status: 200,
  headers: { 'content-type': 'text/html' },
  text: '<p>Oops</p>',
  json: undefined,
}
