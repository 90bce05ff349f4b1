import type { Hint } from '../../contracts/users.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext, Context } from '../../core/context.ts'
import { isSignedBy, readJws } from '../../core/crypto/jws.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import { isObject, parseJson } from '../../core/json.ts'
import { subjectBehind } from '../authorization/subject.ts'
import type { RequestContext } from './requestContext.ts'

/** The one hint that was sent, not yet read. */
export interface HintParameter {
  readonly name: 'login_hint' | 'login_hint_token' | 'id_token_hint'
  readonly value: string
}

/**
 * Reads the hint of a request. `undefined`: it names no user.
 * @throws BackchannelError `invalid_request`, `unknown_user_id`, `expired_login_hint_token`
 */
export async function hintOf(
  ctx: Context,
  { hint, context }: { readonly hint: HintParameter; readonly context: RequestContext | undefined },
  client: Client,
): Promise<Hint | undefined> {
  if (hint.name === 'login_hint') return readLoginHint(hint.value, context?.loginHintType, ctx.settings.issuer)
  if (hint.name === 'id_token_hint') return readIdTokenHint(ctx, hint.value, client)
  return readLoginHintToken(ctx, hint.value, client)
}

/**
 * Reads a `login_hint`. A declared type (`request_context.login_hint_type`) is believed; without one, an address with
 * `@` is an e-mail, a number with `+` a phone, JSON of the form `iss_sub` (RFC 9493) our own subject. The rest are user
 * ids.
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
    throw invalidRequest('login_hint as JSON must be a subject identifier of format iss_sub')
  }
  if (typeof identifier.sub !== 'string' || !sameIssuer(identifier.iss, issuer)) {
    throw unknownUserId('login_hint must name a sub of this issuer')
  }
  return { type: 'sub', value: identifier.sub }
}

/** Clients of some vendors write the issuer with a final slash. */
function sameIssuer(iss: unknown, issuer: string): boolean {
  return typeof iss === 'string' && iss.replace(/\/$/, '') === issuer.replace(/\/$/, '')
}

/**
 * Reads an `id_token_hint`: an ID token of ours, for this client, expired or not (CIBA Core 14).
 * @throws BackchannelError `invalid_request` when it is none, `unknown_user_id` when it is too old or names no user.
 */
export async function readIdTokenHint(ctx: Context, text: string, client: Client): Promise<Hint> {
  const jws = readJws(text)
  if (jws === undefined) throw invalidRequest('id_token_hint is not a signed JWT; decrypt it before you send it')
  const { iss, aud, sub, iat } = jws.claims
  const { issuer, requests } = ctx.settings
  const isIdToken = jws.typ === undefined || jws.typ === 'jwt'
  // retired keys of ours count too
  if (!isIdToken || iss !== issuer || !(await isSignedBy(jws, ctx.signingKeys.verifiers(jws.alg, jws.kid)))) {
    throw invalidRequest('id_token_hint was not issued here')
  }
  if (aud !== client.id && !(Array.isArray(aud) && aud.includes(client.id))) {
    throw invalidRequest('id_token_hint was issued to another client')
  }
  const oldest = ctx.clock() / 1000 - requests.idTokenHintSeconds
  if (typeof iat !== 'number' || iat < oldest) throw unknownUserId('id_token_hint is too old')
  const subject = typeof sub === 'string' ? subjectBehind(ctx, client.metadata, sub) : undefined
  if (subject === undefined) throw unknownUserId('No user matches the hint')
  return { type: 'sub', value: subject, claims: jws.claims }
}

/**
 * Reads a `login_hint_token` with the host's verifier (option `requests.loginHintToken`). `undefined`: none is named.
 * @throws BackchannelError `invalid_request`, `expired_login_hint_token`
 */
export async function readLoginHintToken(ctx: AskContext, token: string, client: Client): Promise<Hint | undefined> {
  const { readHintToken } = ctx.users
  if (readHintToken === undefined) throw invalidRequest('login_hint_token is not supported; use another hint')
  return readHintToken(token, client.metadata)
}

function unknownUserId(description: string): BackchannelError {
  return new BackchannelError('unknown_user_id', description)
}
