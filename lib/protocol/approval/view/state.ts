/** What a page can be about. */
export type PageState = 'ask' | 'signed_out' | 'step_up' | ClosedState

/**
 * `approved`, `denied`, `reported`: the user's own answer. `answered`: no answer is wanted any more.
 * `expired`, `unknown`, `wrong_user`, `error`: nothing can be answered here.
 */
export type ClosedState =
  | 'approved'
  | 'denied'
  | 'reported'
  | 'answered'
  | 'expired'
  | 'unknown'
  | 'wrong_user'
  | 'error'

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
