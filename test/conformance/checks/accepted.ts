import { type Answer, header, membersOf } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { brief, entropyOf, isJsonType, isObject, isText } from './values.ts'

const longestDays = 356

/** A successful answer of the backchannel authentication endpoint (CIBA 7.3). */
export function* accepted(answer: Answer): Check {
  const { auth_req_id: authReqId, expires_in: expiresIn, interval, error } = membersOf(answer)
  if (answer.status !== 200) yield found('B1 accepted', `HTTP ${answer.status}: ${brief(answer.text)}`)
  if (!isJsonType(header(answer, 'content-type')) || !isObject(answer.json) || error !== undefined) {
    yield found('B1 accepted', `not a JSON object without error: ${brief(answer.text)}`)
  }
  yield* identifier(authReqId)
  if (!Number.isInteger(expiresIn) || Number(expiresIn) <= 0 || Number(expiresIn) > longestDays * 86_400) {
    yield found('B3 expires_in', `expires_in is ${brief(expiresIn)}`)
  }
  if (interval !== undefined && !(Number.isInteger(interval) && Number(interval) >= 0 && Number(interval) <= 21_600)) {
    yield found('B4 interval', `interval is ${brief(interval)}`)
  }
}

function* identifier(authReqId: unknown): Check {
  if (!isText(authReqId)) return yield found('B2 auth_req_id', `auth_req_id is ${brief(authReqId)}`)
  if (!/^[\w.-]+$/.test(authReqId)) yield found('B2 characters', `auth_req_id ${brief(authReqId)}`)
  if (Buffer.byteLength(authReqId) < 16) yield found('B2 length', `auth_req_id of ${authReqId.length} characters`)
  const bits = entropyOf(authReqId)
  if (bits <= 96) yield found('B2 entropy', `auth_req_id of about ${Math.round(bits)} bits`)
  else if (bits <= 160) yield found('B2 more entropy', `auth_req_id of about ${Math.round(bits)} bits`)
}
