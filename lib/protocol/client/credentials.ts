import { isUtf8 } from 'node:buffer'
import type { Call } from '../../contracts/contracts.ts'
import { readJws } from '../../core/crypto/jws.ts'
import { BackchannelError } from '../../core/errors.ts'

/** What a caller shows for itself, by where it came from. */
export type Credentials =
  | { readonly kind: 'basic' | 'post'; readonly clientId: string; readonly secret: string }
  | { readonly kind: 'assertion'; readonly clientId: string; readonly assertion: string }
  | { readonly kind: 'certificate'; readonly clientId: string }

/** Whether a client has proven itself; if not, why, for the host's log. */
export type Verdict = true | string

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** An assertion of more than this is not looked at. */
const longestAssertion = 8_192

/** May this be a client's id? Anything else is not worth a look-up; some databases choke on it. */
export function isClientId(text: string): boolean {
  return text !== '' && text.length <= 255 && !/\p{Cc}/u.test(text)
}

/**
 * A refusal says nothing about the reason: that is the `cause`, for the host's log. Callers that used the header get a
 * challenge with it (RFC 6749 5.2).
 */
export function refuse(call: Call, reason: unknown): BackchannelError {
  return new BackchannelError('invalid_client', 'Client authentication failed', {
    cause: typeof reason === 'string' ? new Error(reason) : reason,
    ...(call.authorization === undefined ? {} : { headers: { 'WWW-Authenticate': 'Basic realm="oidc"' } }),
  })
}

/**
 * Reads the credentials of a call: exactly one method per request (RFC 6749 2.3).
 * @throws BackchannelError `invalid_request` for two methods, `invalid_client` for none or a malformed one.
 */
export function credentialsOf(call: Call): Credentials {
  const { authorization, form } = call
  const secret = form.values.get('client_secret')
  const assertion = form.values.get('client_assertion')
  const named = form.values.get('client_id')
  const methods = [authorization, secret, assertion].filter((each) => each !== undefined).length
  if (methods > 1) throw new BackchannelError('invalid_request', 'Use one client authentication method, not two')

  if (authorization !== undefined) {
    const basic = readBasic(authorization)
    if (basic === undefined) throw refuse(call, 'the Authorization header is not well-formed Basic')
    if (named !== undefined && named !== basic.clientId) throw refuse(call, 'client_id is not the one in the header')
    return { kind: 'basic', ...basic }
  }
  if (assertion !== undefined) {
    if (form.values.get('client_assertion_type') !== assertionType)
      throw refuse(call, `client_assertion_type is not ${assertionType}`)
    if (assertion.length > longestAssertion) throw refuse(call, 'the assertion is too long')
    const clientId = named ?? subjectOf(assertion)
    if (clientId === undefined) throw refuse(call, 'the assertion names no client')
    return { kind: 'assertion', clientId, assertion }
  }
  if (named === undefined) throw refuse(call, 'no credentials were sent')
  return secret === undefined ? { kind: 'certificate', clientId: named } : { kind: 'post', clientId: named, secret }
}

/** Both halves are form-encoded inside (RFC 6749 2.3.1). */
function readBasic(authorization: string): { clientId: string; secret: string } | undefined {
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

/** Says only where to look; the signature is checked with that client's keys afterwards. */
function subjectOf(assertion: string): string | undefined {
  const sub = readJws(assertion)?.claims.sub
  return typeof sub === 'string' ? sub : undefined
}
