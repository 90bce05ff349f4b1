import type { Answer } from './fleet.ts'

/** What one store went through. */
export interface Tally {
  /** Requests that were started. */
  rounds: number
  /** Calls that raced each other. */
  races: number
  /** Processes that were killed: servers and backends. */
  kills: number
  /** Requests for which more than one token set was handed out. */
  doubles: number
  /** Acknowledged requests or answers that were gone afterwards. */
  lost: number
  /** 503 answers while the backend was away. */
  outages: number
  /** Answers that no specification allows, and whatever else was wrong. */
  wrong: string[]
}

export function newTally(): Tally {
  return { rounds: 0, races: 0, kills: 0, doubles: 0, lost: 0, outages: 0, wrong: [] }
}

/** Notes an answer that should not be. */
export function expectThat(tally: Tally, ok: boolean, what: string): void {
  if (!ok) tally.wrong.push(what)
}

/** In a word: `tokens`, `done`, the error, or `lost connection`. */
export function wordFor({ status, body }: Answer): string {
  if (status === 0) return 'lost connection'
  if (status >= 400) return body.error ?? `status ${status}`
  return body.access_token === undefined ? 'done' : 'tokens'
}

/** A full queue of work, a few at a time. */
export async function inParallel(count: number, atOnce: number, step: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await step(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
