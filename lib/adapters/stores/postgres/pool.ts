import { withTimeout } from '../../../core/guards/guard.ts'

/** What `pg` answers. */
export interface QueryResult {
  readonly rows: readonly Record<string, unknown>[]
  readonly rowCount: number | null
}

interface Query {
  readonly name?: string
  readonly text: string
  readonly values: unknown[]
}

/** The part of a single `pg` connection that is used. */
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
  /** The name under which each connection prepares the statement once. */
  readonly name: string
  readonly text: string
}

/** @throws TypeError when it is not a pool. */
export function requirePool(pool: unknown, name = 'pool'): void {
  const { query, connect, on } = (pool ?? {}) as Partial<PoolLike>
  if ([query, connect, on].every((each) => typeof each === 'function')) return
  throw new TypeError(
    `express-ciba: postgresStore: "${name}" must be a Pool of the package "pg": ` +
      'postgresStore(new Pool({ connectionString }))',
  )
}

export function createRun(pool: PoolLike, timeoutMs: number, prepare: boolean): Run {
  // An idle connection that is lost emits this. Without a listener it would end the process.
  pool.on('error', () => {})
  return async ({ name, text }, values) => {
    const answer = () => pool.query(prepare ? { name, text, values } : { text, values })
    return withTimeout(answer, timeoutMs, 'PostgreSQL')
  }
}
