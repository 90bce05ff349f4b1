import type { BackchannelError } from '../core/errors.ts'
import { omitUndefined } from '../core/json.ts'

/**
 * `resultCode` by API and action. Authlete publishes the first ones of the first four, and some of those at the end;
 * the others are ours by its pattern. The fourth digit is 0 for done, 1 for a fault of the server, 2 of the caller, 3 of the
 * client.
 */
const codes = {
  authentication: {
    USER_IDENTIFICATION: 'A179001',
    INTERNAL_SERVER_ERROR: 'A179101',
    BAD_REQUEST: 'A179301',
    UNAUTHORIZED: 'A179302',
  },
  issue: { OK: 'A183001', INTERNAL_SERVER_ERROR: 'A183101', INVALID_TICKET: 'A183201' },
  fail: { BAD_REQUEST: 'A185001', FORBIDDEN: 'A185002', INTERNAL_SERVER_ERROR: 'A185003' },
  complete: { NO_ACTION: 'A198001', NOTIFICATION: 'A198002', SERVER_ERROR: 'A198101' },
  token: { OK: 'A050001', INTERNAL_SERVER_ERROR: 'A050101', BAD_REQUEST: 'A050301', INVALID_CLIENT: 'A050302' },
} as const

/** The same, for a call that was wrong itself. */
const wrongCodes = {
  authentication: 'A179201',
  issue: 'A183202',
  fail: 'A185201',
  complete: 'A198201',
  token: 'A050201',
} as const

type Api = keyof typeof codes
type Action<A extends Api> = keyof (typeof codes)[A] & string

/** What the client is to be told while something is wrong on our side. */
export const serverError = JSON.stringify({ error: 'server_error' })

/** An answer with its envelope. What is `undefined` is left out: Authlete's SDKs refuse `null`. */
export function answer<A extends Api>(api: A, action: Action<A>, message: string, members: object = {}): object {
  return envelope(codes[api][action] as string, action, message, members)
}

/** The answer to a call that the caller got wrong: nothing has changed. */
export function wrongCall<A extends Api>(api: A, action: Action<A>, message: string, members: object = {}): object {
  return envelope(wrongCodes[api], action, message, members)
}

function envelope(code: string, action: string, message: string, members: object): object {
  return { resultCode: code, resultMessage: `[${code}] ${message}`, action, ...omitUndefined(members) }
}

const byStatus: Readonly<Record<number, string>> = { 401: 'A001202', 403: 'A001203', 404: 'A001204', 405: 'A001205' }

/** The answer to a call that is none: not authorized, not readable, or nowhere. */
export function apiError({ status, message }: BackchannelError): object {
  const code = byStatus[status] ?? (status < 500 ? 'A001201' : 'A001101')
  return { resultCode: code, resultMessage: `[${code}] ${message}` }
}
