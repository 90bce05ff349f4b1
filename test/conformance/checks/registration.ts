import { type Answer, header, membersOf } from '../http.ts'
import { type Check, found } from './catalogue.ts'
import { brief, isHttpsUrl, isJsonType, isText } from './values.ts'

/** The answer to a client's registration (RFC 7591 3.2.1, RFC 7592 3). */
export function* registration(answer: Answer): Check {
  const { client_id, client_secret, client_secret_expires_at, error, ...members } = membersOf(answer)
  const { registration_client_uri: uri, registration_access_token: token } = members
  if (answer.status !== 201 || !isJsonType(header(answer, 'content-type')) || error !== undefined) {
    yield found('R status', `HTTP ${answer.status}: ${brief(answer.text)}`)
  }
  if (!isText(client_id)) yield found('R client_id', `client_id is ${brief(client_id)}`)
  const managed = uri !== undefined || token !== undefined
  if (managed && !(isHttpsUrl(uri) && isText(token))) {
    yield found(
      'R management',
      `registration_client_uri ${brief(uri)}, token ${token === undefined ? 'none' : 'given'}`,
    )
  }
  if (client_secret !== undefined && client_secret_expires_at === undefined) {
    yield found('R secret', 'a client_secret without client_secret_expires_at')
  }
}

/** The answer when a client is taken away again (RFC 7592 2.3). */
export function* removal(answer: Answer): Check {
  if (answer.status !== 204) yield found('R delete', `HTTP ${answer.status}: ${brief(answer.text)}`)
}
