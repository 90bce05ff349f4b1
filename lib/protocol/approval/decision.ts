import type { Approval, Refusal } from '../../contracts/request.ts'
import type { SessionUser } from '../../contracts/session.ts'
import { omitUndefined } from '../../core/json.ts'

/** What is decided about a request, before it is checked against that request. */
export type Decision = ApproveDecision | RefuseDecision

/** The user agreed. */
export type ApproveDecision = Omit<Approval, 'at' | 'scope'> & {
  /** Defaults to what was asked. */
  readonly scope?: readonly string[]
  /** The host's own access token, to be pushed in place of a minted one. */
  readonly accessToken?: string
}

/** The user declined, or no usable answer will come. */
export type RefuseDecision = Omit<Refusal, 'at'> & {
  /** The user who declined, who has to be the one who was asked. */
  readonly by?: string
}

/** The approval of the user who is signed in: their login, and everything that was asked. */
export function approvalBy({ sub, authTime, acr, amr }: SessionUser): Decision {
  return omitUndefined({ result: 'approved' as const, sub, authTime, acr, amr })
}

/** Whom a decision names. */
export function userIn(decision: Decision): string | undefined {
  return decision.result === 'approved' ? decision.sub : decision.by
}
