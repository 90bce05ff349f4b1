import type { Hint } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'

const names = ['login_hint', 'login_hint_token', 'id_token_hint'] as const

/** The one hint that was sent, not yet read. */
export interface HintParameter {
  readonly name: (typeof names)[number]
  readonly value: string
}

/** Exactly one of the three, counted before anybody is looked up (CIBA Core 7.1, 7.2). */
export function theOneHint(get: (name: string) => string | undefined): HintParameter {
  let hint: HintParameter | undefined
  let count = 0
  for (const name of names) {
    const value = get(name)
    if (value === undefined) continue
    hint = { name, value }
    count += 1
  }
  if (hint === undefined || count > 1) {
    throw new BackchannelError('invalid_request', 'Send exactly one of login_hint, login_hint_token and id_token_hint')
  }
  return hint
}

/**
 * Reads a `login_hint`. A declared type (`request_context.login_hint_type`) is believed; without one, an address with
 * `@` is an e-mail, a number with `+` a phone, JSON of the form `iss_sub` (RFC 9493) our own subject, all else a user id.
 */
export function readLoginHint(value: string, type: 'phone' | 'email' | 'user_id' | undefined, issuer: string): Hint {
  if (type !== undefined) return { type, value }
  if (value.startsWith('{')) return readSubjectIdentifier(value, issuer)
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return { type: 'email', value }
  if (/^\+[\d ().-]{5,25}$/.test(value)) return { type: 'phone', value: `+${value.replace(/\D/g, '')}` }
  return { type: 'user_id', value }
}

function readSubjectIdentifier(value: string, issuer: string): Hint {
  let identifier: unknown
  try {
    identifier = parseJson(value)
  } catch {
    return { type: 'user_id', value }
  }
  if (!isObject(identifier) || identifier.format !== 'iss_sub') {
    throw new BackchannelError('invalid_request', 'login_hint as JSON must be a subject identifier of format iss_sub')
  }
  if (typeof identifier.sub !== 'string' || !sameIssuer(identifier.iss, issuer)) {
    throw new BackchannelError('unknown_user_id', 'login_hint must name a sub of this issuer')
  }
  return { type: 'sub', value: identifier.sub }
}

/** Clients of some vendors write the issuer with a final slash. */
function sameIssuer(iss: unknown, issuer: string): boolean {
  return typeof iss === 'string' && iss.replace(/\/$/, '') === issuer.replace(/\/$/, '')
}
