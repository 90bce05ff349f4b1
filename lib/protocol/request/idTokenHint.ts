import type { Client, Hint } from '../../contracts/contracts.ts'
import { type Jws, readJws } from '../../core/crypto/jws.ts'
import { BackchannelError } from '../../core/errors.ts'

export interface IdTokenHintParts {
  readonly issuer: string
  readonly clock: () => number
  /** Days after its `iat` for which an ID token is still a hint. */
  readonly maxAgeDays: number
  /** Is it signed with one of our keys, retired ones included? */
  isOurs(jws: Jws): Promise<boolean>
  /** The host's subject behind a `sub` that this client was given. */
  subjectOf(client: Client, sub: string): Promise<string | undefined>
}

/**
 * Reads an `id_token_hint`: an ID token of ours, for this client, expired or not (CIBA Core 14).
 * @throws BackchannelError `invalid_request` when it is none, `unknown_user_id` when it is too old or names nobody.
 */
export function createReadIdTokenHint(parts: IdTokenHintParts) {
  return async (text: string, client: Client): Promise<Hint> => {
    const jws = readJws(text)
    if (jws === undefined) throw invalid('id_token_hint is not a signed JWT; decrypt it before you send it')
    const { iss, aud, sub, iat } = jws.claims
    const isIdToken = jws.typ === undefined || jws.typ === 'jwt'
    if (!isIdToken || iss !== parts.issuer || !(await parts.isOurs(jws)))
      throw invalid('id_token_hint was not issued here')
    if (aud !== client.id && !(Array.isArray(aud) && aud.includes(client.id))) {
      throw invalid('id_token_hint was issued to another client')
    }
    const oldest = parts.clock() / 1000 - parts.maxAgeDays * 86_400
    if (typeof iat !== 'number' || iat < oldest) throw unknown('id_token_hint is too old')
    const subject = typeof sub === 'string' ? await parts.subjectOf(client, sub) : undefined
    if (subject === undefined) throw unknown('No user matches the hint')
    return { type: 'sub', value: subject, claims: jws.claims }
  }
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}

function unknown(description: string): BackchannelError {
  return new BackchannelError('unknown_user_id', description)
}
