import { type Answer, header, membersOf } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { brief, entropyOf, isJsonType, isText } from './values.ts'

const year = 366 * 86_400

/** A token response (RFC 6749 5.1), the ID token apart. */
export function* tokens(answer: Answer): Check {
  const { access_token, token_type, expires_in, refresh_token } = membersOf(answer)
  if (answer.status !== 200) yield found('K1 status', `HTTP ${answer.status}: ${brief(answer.text)}`)
  if (!isJsonType(header(answer, 'content-type'))) {
    yield found('T1 content type', `Content-Type is ${brief(header(answer, 'content-type'))}`)
  }
  if (!/(^|[\s,])no-store([\s,]|$)/i.test(header(answer, 'cache-control') ?? '')) {
    yield found('K1 no-store', `Cache-Control is ${brief(header(answer, 'cache-control'))}`)
  }
  if (!isText(access_token)) yield found('K2 access token', `access_token is ${brief(access_token)}`)
  if (!isText(token_type) || token_type.toLowerCase() !== 'bearer') {
    yield found('K2 token type', `token_type is ${brief(token_type)}`)
  }
  if (!isUnguessable(access_token)) yield found('K2 entropy', 'the access token can be guessed')
  if (expires_in === undefined) yield found('K3 expires_in missing', 'no expires_in')
  else if (typeof expires_in !== 'number' || expires_in <= 0 || expires_in > year) {
    yield found('K3 expires_in', `expires_in is ${brief(expires_in)}`)
  }
  if (refresh_token !== undefined && !isUnguessable(refresh_token)) {
    yield found('K4 refresh token', `refresh_token is ${brief(refresh_token)}`)
  }
}

function isUnguessable(token: unknown): boolean {
  return typeof token === 'string' && Buffer.byteLength(token) >= 16 && entropyOf(token) > 96
}
