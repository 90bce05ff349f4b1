import type { GrantRecord, RecordChanges, RequestRecord } from '../../../contracts/request.ts'

/** Where each member of a record is kept. What has no column is in `rest`, as JSON. */
export type Columns<T> = readonly (readonly [member: keyof T, column: string, kind: 'text' | 'number' | 'json'])[]

export const requestColumns = [
  ['id', 'id', 'text'],
  ['status', 'status', 'text'],
  ['clientId', 'client_id', 'text'],
  ['sub', 'sub', 'text'],
  ['authReqIdHash', 'auth_req_id_hash', 'text'],
  ['linkHash', 'link_hash', 'text'],
  ['expiresAt', 'expires_at', 'number'],
  ['keptUntil', 'kept_until', 'number'],
  ['intervalSeconds', 'interval_seconds', 'number'],
  ['lastPollAt', 'last_poll_at', 'number'],
  ['slowDowns', 'slow_downs', 'number'],
  ['answer', 'answer', 'json'],
  ['sealedDelivery', 'sealed_delivery', 'text'],
] as const satisfies Columns<RequestRecord>

export const grantColumns = [
  ['id', 'id', 'text'],
  ['tokenHash', 'token_hash', 'text'],
  ['previousHash', 'previous_hash', 'text'],
  ['previousUntil', 'previous_until', 'number'],
  ['expiresAt', 'expires_at', 'number'],
] as const satisfies Columns<GrantRecord>

const movable = {
  sub: true,
  authReqIdHash: true,
  linkHash: true,
  expiresAt: true,
  keptUntil: true,
  intervalSeconds: true,
  answer: true,
  sealedDelivery: true,
} as const satisfies Record<keyof RecordChanges, true>

type MovedColumn = Extract<(typeof requestColumns)[number], readonly [keyof RecordChanges, ...unknown[]]>

/** The columns that a move may change, in the order of its parameters from $5 on. */
export const movedColumns = requestColumns.filter((each): each is MovedColumn => each[0] in movable)

/** Values of the columns, then everything else as one JSON text. */
export function valuesOf<T extends object>(record: T, columns: Columns<T>): unknown[] {
  const rest: Partial<T> = { ...record }
  const values = columns.map(([member, , kind]) => {
    delete rest[member]
    return columnValue(kind, record[member])
  })
  return [...values, JSON.stringify(rest)]
}

/** The record that `valuesOf` took apart. */
export function recordOf<T>(row: Readonly<Record<string, unknown>>, columns: Columns<T>): T {
  const record = JSON.parse(String(row.rest))
  for (const [member, column, kind] of columns) {
    const value = row[column]
    if (value === null) continue
    // `bigint` comes as text, unless the host has set a parser for it
    record[member] = kind === 'json' ? JSON.parse(String(value)) : kind === 'number' ? Number(value) : value
  }
  return record
}

/** What a column holds of a member. */
export function columnValue(kind: Columns<object>[number][2], value: unknown): unknown {
  if (value === undefined) return null
  return kind === 'json' ? JSON.stringify(value) : value
}
