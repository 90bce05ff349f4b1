import type { ClosedState, PageState } from '../../../contracts/page.ts'
import type { RequestRecord } from '../../../contracts/request.ts'
import { isExpired } from '../../../core/request.ts'

/** HTTP status that goes with each state. */
export const stateStatus: Readonly<Record<PageState, number>> = {
  ask: 200,
  approved: 200,
  denied: 200,
  reported: 200,
  answered: 200,
  signed_out: 403,
  step_up: 403,
  expired: 410,
  unknown: 404,
  wrong_user: 403,
  error: 500,
}

/** The state to show when there is nothing left to ask at `now`, in epoch milliseconds. */
export function closedState(record: RequestRecord, now: number): ClosedState | undefined {
  const { answer, status } = record
  if (answer?.result === 'approved') return 'approved'
  if (answer?.result === 'denied') return answer.reason === 'not_me' ? 'reported' : 'denied'
  if (isExpired(record, now)) return 'expired'
  return status === 'pending' ? undefined : 'answered'
}

/** The state to show for an error with this HTTP status. */
export function stateForStatus(status: number): ClosedState {
  if (status === 404) return 'unknown'
  if (status === 409) return 'answered'
  if (status === 410) return 'expired'
  // no form of ours sends this: opening the link again, as the page `wrong_user` says, helps
  return status >= 400 && status < 500 ? 'wrong_user' : 'error'
}
