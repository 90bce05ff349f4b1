import type { JWTPayload } from 'jose'
import { type Check, found } from './catalogue.ts'
import { brief } from './values.ts'

export function* refreshTokenText(token: unknown): Check {
  if (typeof token !== 'string' || !/^[\x20-\x7E]+$/.test(token)) yield found('M42 characters', brief(token))
}

/** The ID token of a refresh beside the first one (OpenID Connect Core 12.2). */
export function* refreshed(before: JWTPayload, after: JWTPayload): Check {
  for (const name of ['iss', 'sub', 'azp', 'aud']) {
    if (setOf(before[name]) !== setOf(after[name])) {
      yield found('M42 id token', `${name} was ${brief(before[name])}, is ${brief(after[name])}`)
    }
  }
  if (before.iat === after.iat) yield found('M42 id token', 'iat is that of the first ID token')
  if (after.auth_time !== undefined && after.auth_time !== before.auth_time) {
    yield found('M42 id token', `auth_time was ${brief(before.auth_time)}, is ${brief(after.auth_time)}`)
  }
}

function setOf(value: unknown): string {
  return [value].flat().map(String).sort().join(' ')
}
