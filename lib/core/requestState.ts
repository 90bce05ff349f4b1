import { type AuthorizationDetail, isExpired, type RequestRecord, type RequestStatus } from './request.ts'

/** A request as a screen of the host's own may see it. */
export interface RequestState {
  /** The public id, as in events. */
  readonly request: string
  readonly status: RequestStatus | 'expired'
  readonly clientId: string
  /** Whom the client asked for. */
  readonly sub?: string
  /** Epoch milliseconds. */
  readonly receivedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: readonly string[]
  readonly bindingMessage?: string
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** Statuses that time overtakes. */
const unfinished: readonly RequestStatus[] = ['received', 'pending', 'approved', 'delivering']

/** How the record stands at `now`, in epoch milliseconds. */
export function stateOf(record: RequestRecord, now: number): RequestState {
  const { id, status, clientId, sub, receivedAt, expiresAt, details } = record
  const { scope, bindingMessage, authorizationDetails } = details
  return {
    request: id,
    status: isExpired(record, now) && unfinished.includes(status) ? 'expired' : status,
    clientId,
    ...(sub === undefined ? {} : { sub }),
    receivedAt,
    expiresAt,
    scope,
    ...(bindingMessage === undefined ? {} : { bindingMessage }),
    ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
  }
}
