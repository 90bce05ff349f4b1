import { z } from 'zod'
import { asBackchannelError, BackchannelError, type ErrorCode } from '../core/errors.ts'
import { readMembers, text } from './fields.ts'
import { answer, wrongCall } from './results.ts'

export interface FailParts {
  fail(ticket: string, reason: ErrorCode): Promise<void>
}

const reasons = {
  EXPIRED_LOGIN_HINT_TOKEN: ['expired_login_hint_token', 'login_hint_token has expired'],
  UNKNOWN_USER_ID: ['unknown_user_id', 'No user matches the hint'],
  UNAUTHORIZED_CLIENT: ['unauthorized_client', 'This client may not make this request'],
  MISSING_USER_CODE: ['missing_user_code', 'user_code is missing'],
  INVALID_USER_CODE: ['invalid_user_code', 'user_code is not right'],
  INVALID_BINDING_MESSAGE: ['invalid_binding_message', 'binding_message is not acceptable'],
  INVALID_TARGET: ['invalid_target', 'resource is not acceptable'],
  ACCESS_DENIED: ['access_denied', 'The request is refused'],
  SERVER_ERROR: ['server_error', 'The server could not handle the request'],
} as const satisfies Readonly<Record<string, readonly [ErrorCode, string]>>

const members = z.object({ ticket: text, reason: text, errorDescription: text, errorUri: text })

/** `/backchannel/authentication/fail`: refuses a request that was not issued. Ticket and reason may be left out. */
export function createFailTicket({ fail }: FailParts) {
  return async (body: unknown): Promise<object> => {
    const { ticket, reason = 'SERVER_ERROR', errorDescription, errorUri } = readMembers(members, body)
    if (!isReason(reason))
      return wrong(new BackchannelError('server_error', `reason ${reason.slice(0, 40)} is unknown`))
    const [code, usual] = reasons[reason]
    try {
      if (ticket !== undefined) await fail(ticket, code)
    } catch (thrown) {
      const error = asBackchannelError(thrown)
      if (error !== thrown || error.status >= 500) throw thrown
      return wrong(error)
    }
    const told = new BackchannelError(code, errorDescription ?? usual, errorUri === undefined ? {} : { uri: errorUri })
    const action = told.status === 403 ? 'FORBIDDEN' : told.status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST'
    return answer('fail', action, 'The request is refused', { responseContent: JSON.stringify(told) })
  }
}

function isReason(text: string): text is keyof typeof reasons {
  return Object.hasOwn(reasons, text)
}

function wrong({ message }: BackchannelError): object {
  return wrongCall('fail', 'INTERNAL_SERVER_ERROR', message, {
    responseContent: JSON.stringify({ error: 'server_error' }),
  })
}
