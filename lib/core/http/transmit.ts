import type { BackchannelError, ErrorCode } from '../errors.ts'

/** What polls are answered with; these keep their OAuth shape. */
const pollCodes: readonly ErrorCode[] = ['authorization_pending', 'slow_down', 'access_denied', 'expired_token']

/** An error in the shape of Transmit's OIDC endpoints: `message` is a list for 400, a text for everything else. */
export function transmitBody(error: BackchannelError): object {
  const { error_description: text } = error.toJSON()
  return { message: error.status === 400 ? [text] : text, error_code: error.status }
}

/** As above, at the token endpoint. */
export function transmitTokenBody(error: BackchannelError): object {
  return pollCodes.includes(error.code) ? error : transmitBody(error)
}
