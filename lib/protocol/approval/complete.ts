import type { BackchannelStore, SessionUser } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Emit } from '../../core/events.ts'
import { type Answer, type Approval, isExpired, type Refusal, type RequestRecord } from '../../core/request.ts'

/** What a completion says, before it is checked against the request. */
export type Decision =
  | (Omit<Approval, 'at' | 'scope'> & {
      readonly scope?: readonly string[]
      /** The host's own access token, for push. */
      readonly accessToken?: string
    })
  /** `by`: the user who declined, who has to be the one who was asked. */
  | (Omit<Refusal, 'at'> & { readonly by?: string })

/** What the signed-in user says with a yes. Only what belongs in a record is taken from the host's object. */
export function approvalBy({ sub, authTime, acr, amr }: SessionUser): Decision {
  return {
    result: 'approved',
    sub,
    ...(authTime === undefined ? {} : { authTime }),
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
  }
}

export interface CompleteParts {
  readonly store: BackchannelStore
  readonly clock: () => number
  readonly emit: Emit
  /** What will be stored, when the decision fits the request. */
  check(record: RequestRecord, decision: Decision, now: number, namesUser: boolean): Promise<Answer>
  /** Tells the client, where it wants to be told. Called once per answer, after it is stored. */
  announce(record: RequestRecord): void
}

/**
 * Settles a request: the only door out of `pending`. One answer stands; repeating it is no error.
 * `namesUser`: whoever holds the ticket says who the user is, where the request does not know it yet.
 *
 * @throws BackchannelError `access_denied` (wrong or inactive user; the request stays open), `invalid_scope`,
 * `invalid_target`, `invalid_authorization_details` (wider than asked), `expired_token` 410, `invalid_request` 409
 * (answered before, otherwise).
 */
export function createComplete({ store, clock, emit, check, announce }: CompleteParts) {
  return async (record: RequestRecord, decision: Decision, namesUser = false): Promise<RequestRecord> => {
    const now = clock()
    const answer = await check(record, decision, now, namesUser)
    if (record.status === 'received') {
      throw new BackchannelError('invalid_request', 'The request has not been issued', { status: 409 })
    }
    const sub = namesUser && record.sub === undefined ? userIn(decision) : undefined
    const changes = sub === undefined ? { answer } : { answer, sub }
    const settled = await store.move(record.id, { from: 'pending', to: answer.result, changes, now })
    if (settled === undefined) throw new BackchannelError('invalid_request', 'No such request', { status: 404 })
    if (!settled.moved) return repeated(settled.record, answer, now)
    tell(settled.record, answer)
    announce(settled.record)
    return settled.record
  }

  function tell(record: RequestRecord, answer: Answer): void {
    const about = { request: record.id, clientId: record.clientId }
    if (answer.result === 'approved') {
      emit({ type: 'request.approved', ...about, sub: answer.sub })
    } else {
      const reason = answer.reason === undefined ? {} : { reason: answer.reason }
      emit({ type: answer.result === 'denied' ? 'request.denied' : 'request.failed', ...about, ...reason })
    }
  }
}

function userOf(answer: Answer): string | undefined {
  return answer.result === 'approved' ? answer.sub : undefined
}

function userIn(decision: Decision): string | undefined {
  return decision.result === 'approved' ? decision.sub : decision.by
}

/** The request was settled before: the same answer again is fine, another one is not. */
function repeated(record: RequestRecord, answer: Answer, now: number): RequestRecord {
  const stands = record.answer
  if (stands === undefined && isExpired(record, now)) {
    throw new BackchannelError('expired_token', 'The request has expired', { status: 410 })
  }
  if (stands?.result === answer.result && userOf(stands) === userOf(answer)) return record
  throw new BackchannelError('invalid_request', 'The request was answered before', { status: 409 })
}
