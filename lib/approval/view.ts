import type { AuthorizationDetail } from '../record.ts'

/** What the approval page says, in the language it says it. Everything is plain text; rendering escapes it. */
export type View = Page & { readonly locale: string }

export type Page = Ask | { readonly state: ClosedState }

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

/** The question itself. */
export interface Ask {
  readonly state: 'ask'
  readonly clientName: string
  readonly logoUri?: string
  readonly bindingMessage?: string
  readonly scope: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Epoch milliseconds. */
  readonly requestedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Host name of the login server. */
  readonly domain: string
  /** Where the form posts to. */
  readonly action: string
  /** Value of the hidden field `csrf`. */
  readonly csrf: string
}

/** HTTP status that goes with each state. */
export const viewStatus: Record<View['state'], number> = {
  ask: 200,
  approved: 200,
  denied: 200,
  reported: 200,
  answered: 200,
  expired: 410,
  unknown: 404,
  wrong_user: 403,
  error: 500,
}
