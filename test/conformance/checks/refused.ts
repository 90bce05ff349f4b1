import { type Answer, header, membersOf } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { brief, isJsonType, isObject, isText } from './values.ts'

/** An error that may be answered, and the HTTP statuses it may come with. */
export interface Expected {
  readonly error: string
  readonly status: readonly number[]
}

export const expected = (error: string, ...status: number[]): Expected => ({ error, status })

export const invalidRequest = [expected('invalid_request', 400)]
/** Where the suite cannot tell whether the request or the client is at fault. */
export const clientOrRequest = [
  expected('invalid_request', 400),
  expected('access_denied', 403),
  expected('invalid_client', 400, 401),
]
export const notYet = [expected('authorization_pending', 400), expected('slow_down', 400)]

/** A refusal by the backchannel authentication endpoint (CIBA 13). */
export function* refused(answer: Answer, allowed: readonly Expected[] = invalidRequest): Check {
  if (!isObject(answer.json)) yield found('E1 object', `HTTP ${answer.status}: ${brief(answer.text)}`)
  if (answer.status < 400) return yield found('E4 refusal', mismatch(answer, allowed))
  const { error, error_description, error_uri, ...others } = membersOf(answer)
  if (Object.keys(others).length > 0) yield found('E2 members', `also has ${Object.keys(others).join(', ')}`)
  if (!isText(error)) yield found('E2 error', `error is ${brief(error)}`)
  yield* texts(error_description, error_uri)
  if (!isOneOf(answer, allowed)) yield found('E4 refusal', mismatch(answer, allowed))
}

/** An error of the token endpoint (RFC 6749 5.2). */
export function* tokenRefused(answer: Answer, allowed: readonly Expected[]): Check {
  yield* tokenError(answer)
  if (!isOneOf(answer, allowed)) yield found('T9 refusal', mismatch(answer, allowed))
}

/** `authorization_pending` or `slow_down`: which one is up to the server. */
export function* pending(answer: Answer): Check {
  yield* tokenError(answer)
  if (!isOneOf(answer, notYet)) yield found('T2 pending', mismatch(answer, notYet))
}

export function isOneOf(answer: Answer, allowed: readonly Expected[]): boolean {
  const { error } = membersOf(answer)
  return allowed.some((each) => each.error === error && each.status.includes(answer.status))
}

/** Is this an answer that says "come again", whatever else may be wrong with it? */
export function saysNotYet(answer: Answer): boolean {
  const { error } = membersOf(answer)
  return error === 'authorization_pending' || error === 'slow_down'
}

function* tokenError(answer: Answer): Check {
  const { error, error_description, error_uri } = membersOf(answer)
  if (!isJsonType(header(answer, 'content-type'))) {
    yield found('T1 content type', `Content-Type is ${brief(header(answer, 'content-type'))}`)
  }
  if (answer.status === 503 && header(answer, 'retry-after') === undefined) {
    yield found('T8 retry-after', 'HTTP 503 without Retry-After')
  }
  if (!isText(error) || !/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(error))
    yield found('T3 error', `error is ${brief(error)}`)
  yield* texts(error_description, error_uri)
}

function* texts(description: unknown, uri: unknown): Check {
  if (description !== undefined) {
    if (typeof description !== 'string' || !/^[\t\n\r\x20\x21\x23-\x5B\x5D-\x7E]*$/.test(description)) {
      yield found('E3 text', `error_description is ${brief(description)}`)
    } else if (/[\t\n\r]/.test(description)) {
      yield found('E3 white space', `error_description is ${brief(JSON.stringify(description))}`)
    }
  }
  if (uri === undefined) return
  const written = typeof uri === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(uri) && URL.canParse(uri)
  if (!written || !['https:', 'http:', 'urn:', 'mailto:'].includes(new URL(uri).protocol)) {
    yield found('E3 error_uri', `error_uri is ${brief(uri)}`)
  }
}

function mismatch(answer: Answer, allowed: readonly Expected[]): string {
  const wanted = allowed.map(({ error, status }) => `${status.join('/')} ${error}`).join(' or ')
  const { error } = membersOf(answer)
  return `wanted ${wanted}, got ${answer.status} ${typeof error === 'string' ? error : brief(answer.text)}`
}
