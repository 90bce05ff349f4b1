import type { DeliveryJob } from '../contracts/queue.ts'
import type { RequestRecord, RequestState, RequestStatus } from '../contracts/request.ts'
import { omitUndefined } from './json.ts'

/** Is the record past its time at `now`? */
export function isExpired(record: Pick<RequestRecord, 'expiresAt'>, now: number): boolean {
  return now >= record.expiresAt
}

/** The job that tells the client of this request's answer. */
export function jobOf({ id, clientId, expiresAt }: RequestRecord): DeliveryJob {
  return { request: id, clientId, expiresAt }
}

/** Statuses that time overtakes. */
const unfinished: readonly RequestStatus[] = ['received', 'pending', 'approved', 'delivering']

/** How the record stands at `now`, in epoch milliseconds. */
export function stateOf(record: RequestRecord, now: number): RequestState {
  const { id, status, clientId, sub, receivedAt, expiresAt, details } = record
  return omitUndefined({
    request: id,
    status: isExpired(record, now) && unfinished.includes(status) ? ('expired' as const) : status,
    clientId,
    sub,
    receivedAt,
    expiresAt,
    scope: details.scope,
    bindingMessage: details.bindingMessage,
    authorizationDetails: details.authorizationDetails,
  })
}
