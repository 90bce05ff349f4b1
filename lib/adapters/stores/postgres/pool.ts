import { within } from '../deadline.ts'

export interface QueryResult {
  readonly rows: readonly Record<string, unknown>[]
  readonly rowCount: number | null
}

interface Query {
  readonly name?: string
  readonly text: string
  readonly values: unknown[]
}

/** The part of a connection of its own that is used. */
export interface ListeningClient {
  query(text: string, values?: unknown[]): Promise<QueryResult>
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  /** `true`: it is not used again. */
  release(destroy?: boolean): void
}

/** The part of a `pg` Pool that is used. */
export interface PoolLike {
  query(query: Query): Promise<QueryResult>
  connect(): Promise<ListeningClient>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Runs a statement. */
export type Run = (statement: Statement, values: unknown[]) => Promise<QueryResult>

export interface Statement {
  /** Names a statement that each connection prepares once. */
  readonly name: string
  readonly text: string
}

export function createRun(pool: PoolLike, timeoutMs: number, prepare: boolean): Run {
  // A connection that is lost while nobody uses it says so here; unheard, it would end the process.
  pool.on('error', () => {})
  return ({ name, text }, values) =>
    within(timeoutMs, 'PostgreSQL', () => pool.query(prepare ? { name, text, values } : { text, values }))
}
