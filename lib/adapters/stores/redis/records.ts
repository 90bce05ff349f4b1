import type { GrantRecord, RequestRecord } from '../../../contracts/request.ts'

/** Members of a request that scripts read or moves change: each is a field of its own in the hash. */
export const requestFields = [
  'status',
  'clientId',
  'sub',
  'authReqIdHash',
  'linkHash',
  'expiresAt',
  'keptUntil',
  'intervalSeconds',
  'lastPollAt',
  'slowDowns',
  'answer',
  'sealedDelivery',
] as const satisfies readonly (keyof RequestRecord)[]

/** The same of a refresh token family. */
export const grantFields = [
  'tokenHash',
  'previousHash',
  'previousUntil',
  'expiresAt',
] as const satisfies readonly (keyof GrantRecord)[]

/** Fields and values as HSET takes them: one field for each member in `names`, and `rest` for all others. */
export function fieldsOf(record: object, names: readonly string[]): string[] {
  const fields: string[] = []
  const rest: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue
    if (names.includes(name)) fields.push(name, JSON.stringify(value))
    else rest[name] = value
  }
  return Object.keys(rest).length === 0 ? fields : [...fields, 'rest', JSON.stringify(rest)]
}

/** The record that `fieldsOf` took apart. The texts are joined first, so that there is one call of the parser. */
export function recordOf<T>(fields: unknown): T | undefined {
  if (!Array.isArray(fields) || fields.length === 0) return undefined
  const members: string[] = []
  for (let n = 0; n < fields.length; n += 2) {
    members.push(fields[n] === 'rest' ? fields[n + 1].slice(1, -1) : `"${fields[n]}":${fields[n + 1]}`)
  }
  return JSON.parse(`{${members.join(',')}}`)
}
