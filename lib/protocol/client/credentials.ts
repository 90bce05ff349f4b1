import { isUtf8 } from 'node:buffer'
import { readJws } from '../../core/crypto/jws.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { omitUndefined } from '../../core/json.ts'

/** What a call shows to authenticate its client, by where it came from. */
export type Credentials =
  | { readonly kind: 'basic' | 'post'; readonly clientId: string; readonly secret: string }
  | { readonly kind: 'assertion'; readonly clientId: string; readonly assertion: string }
  | { readonly kind: 'certificate'; readonly clientId: string }

/** Whether a client has proven itself; if not, why, for the host's log. */
export type Verdict = true | string

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A longer assertion is not looked at. */
const maxAssertionLength = 8_192

/**
 * A refusal says nothing about the reason: that is the `cause`, for the host's log. Callers that used the header get a
 * challenge with it (RFC 6749 5.2).
 */
export function refuse(call: Call, reason: unknown): BackchannelError {
  return new BackchannelError(
    'invalid_client',
    'Client authentication failed',
    omitUndefined({
      cause: typeof reason === 'string' ? new Error(reason) : reason,
      headers: call.authorization === undefined ? undefined : { 'WWW-Authenticate': 'Basic realm="oidc"' },
    }),
  )
}

/**
 * Reads the credentials of a call: exactly one method per request (RFC 6749 2.3).
 * @throws BackchannelError `invalid_request` for two methods, `invalid_client` for none or a malformed one.
 */
export function credentialsOf(call: Call): Credentials {
  const credentials = readCredentials(call)
  // anything else costs no look-up; some databases fail on control characters
  if (!isClientId(credentials.clientId)) throw refuse(call, 'the client_id cannot be one')
  return credentials
}

function readCredentials(call: Call): Credentials {
  const { authorization, form } = call
  const secret = form.values.get('client_secret')
  const assertion = form.values.get('client_assertion')
  const methods = [authorization, secret, assertion].filter((each) => each !== undefined).length
  if (methods > 1) throw invalidRequest('Use one client authentication method, not two')
  if (authorization !== undefined) return fromHeader(call, authorization)
  if (assertion !== undefined) return fromAssertion(call, assertion)
  const clientId = form.values.get('client_id')
  if (clientId === undefined) throw refuse(call, 'no credentials were sent')
  return secret === undefined ? { kind: 'certificate', clientId } : { kind: 'post', clientId, secret }
}

function fromHeader(call: Call, authorization: string): Credentials {
  const basic = readBasic(authorization)
  if (basic === undefined) throw refuse(call, 'the Authorization header is not well-formed Basic')
  const named = call.form.values.get('client_id')
  if (named !== undefined && named !== basic.clientId) throw refuse(call, 'client_id is not the one in the header')
  return { kind: 'basic', clientId: basic.clientId, secret: basic.secret }
}

function fromAssertion(call: Call, assertion: string): Credentials {
  const { values } = call.form
  if (values.get('client_assertion_type') !== assertionType) {
    throw refuse(call, `client_assertion_type is not ${assertionType}`)
  }
  if (assertion.length > maxAssertionLength) throw refuse(call, 'the assertion is too long')
  const clientId = values.get('client_id') ?? subjectOf(assertion)
  if (clientId === undefined) throw refuse(call, 'the assertion names no client')
  return { kind: 'assertion', clientId, assertion }
}

/** May this be a client's id? */
export function isClientId(text: string): boolean {
  return text !== '' && text.length <= 255 && !/\p{Cc}/u.test(text)
}

/** Both halves are form-encoded inside (RFC 6749 2.3.1). */
function readBasic(authorization: string): { readonly clientId: string; readonly secret: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined || encoded.length % 4 !== 0) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  try {
    return { clientId: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
  } catch {
    return undefined
  }
}

function formDecode(text: string): string {
  return /[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text
}

/** Says only which client to look up; the signature is checked with that client's keys afterwards. */
function subjectOf(assertion: string): string | undefined {
  const sub = readJws(assertion)?.claims.sub
  return typeof sub === 'string' ? sub : undefined
}
