import type { AuthType } from '../config.ts'
import { type Answer, header } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { expected, tokenRefused } from './refused.ts'
import { isJsonType } from './values.ts'

const invalidClient = expected('invalid_client', 400, 401)
const invalidRequest = expected('invalid_request', 400)

/** A token call without the certificate that tokens are bound to (RFC 8705 3). An end of the connection does too. */
export function* refusedWithoutCertificate(answer: Answer, auth: AuthType): Check {
  if (answer.status < 400 || answer.status > 499) {
    return yield found('M43 without certificate', `HTTP ${answer.status}`)
  }
  if (!isJsonType(header(answer, 'content-type'))) return
  const ofMtls = [invalidClient, expected('invalid_request', 400, 401)]
  const ofAssertion = [invalidRequest, expected('invalid_grant', 400), invalidClient]
  yield* tokenRefused(answer, auth === 'mtls' ? ofMtls : ofAssertion)
}
