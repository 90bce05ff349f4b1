import { type Answer, header } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { brief, isJsonType } from './values.ts'

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

export interface Sent {
  readonly interactionId?: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** An answer of the protected resource (FAPI 1 Part 1, 6.2.1). */
export function* resource(answer: Answer, { interactionId, now }: Sent): Check {
  if (answer.status !== 200 && answer.status !== 201) {
    yield found('P1 status', `HTTP ${answer.status}: ${brief(answer.text)}`)
  }
  const date = header(answer, 'date') ?? ''
  if (!(Math.abs(Date.parse(date) - now) <= 300_000)) yield found('P3 date', `Date is ${brief(date)}`)
  const id = header(answer, 'x-fapi-interaction-id') ?? ''
  if (!uuid.test(id) || (interactionId !== undefined && id.toLowerCase() !== interactionId.toLowerCase())) {
    yield found('P3 interaction id', `x-fapi-interaction-id is ${brief(id)}`)
  }
  const type = header(answer, 'content-type')
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type ?? '')?.[1] ?? 'utf-8'
  if (!isJsonType(type) || charset.toLowerCase() !== 'utf-8') yield found('P3 content type', brief(type))
}

/** The token in the query is not taken (RFC 6750 2.3). */
export function* refusedInQuery({ status }: Answer): Check {
  if (![400, 401, 414].includes(status)) yield found('P4 query token', `HTTP ${status}`)
}

/** A token bound to another certificate is not taken (RFC 8705 3). */
export function* refusedAsStolen({ status }: Answer): Check {
  if (status < 400 || status > 499) yield found('P5 stolen token', `HTTP ${status}`)
}
