import { z } from 'zod'
import type { ErrorCode } from '../contracts/errors.ts'
import type { Context } from '../core/context.ts'
import { BackchannelError } from '../core/errors.ts'
import { errorOf } from '../core/events.ts'
import { omitUndefined } from '../core/json.ts'
import { readMembers, text } from './fields.ts'
import type { ManagementOptions } from './options.ts'
import { answer, serverError, wrongCall } from './results.ts'
import { failTicket } from './ticket.ts'

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

const failed = { responseContent: serverError }

/** `/backchannel/authentication/fail`: refuses a request that was not issued. Ticket and reason may be left out. */
export async function failApi(ctx: Context, _options: ManagementOptions, body: unknown): Promise<object> {
  const { ticket, reason = 'SERVER_ERROR', errorDescription, errorUri } = readMembers(members, body)
  if (!isReason(reason)) {
    return wrongCall('fail', 'INTERNAL_SERVER_ERROR', `reason ${reason.slice(0, 40)} is unknown`, failed)
  }
  const [code, usual] = reasons[reason]
  try {
    if (ticket !== undefined) await failTicket(ctx, ticket, code)
  } catch (thrown) {
    const error = errorOf(ctx.emit, thrown)
    const say = error.status < 500 ? wrongCall : answer
    return say('fail', 'INTERNAL_SERVER_ERROR', error.message, failed)
  }
  const told = new BackchannelError(code, errorDescription ?? usual, omitUndefined({ uri: errorUri }))
  const action = told.status === 403 ? 'FORBIDDEN' : told.status >= 500 ? 'INTERNAL_SERVER_ERROR' : 'BAD_REQUEST'
  return answer('fail', action, 'The request is refused', { responseContent: JSON.stringify(told) })
}

function isReason(text: string): text is keyof typeof reasons {
  return Object.hasOwn(reasons, text)
}
