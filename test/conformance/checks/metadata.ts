import type { AuthType, Mode } from '../config.ts'
import { type Answer, header, membersOf } from '../http.ts'
import { type Check, type CheckId, found } from './catalogue.ts'
import { type MemberType, memberTypes } from './metadataNames.ts'
import { brief, isHttpsUrl, isJsonType, isObject, type Members } from './values.ts'

export interface Wanted {
  readonly discoveryUrl: string
  readonly auth: AuthType
  readonly mode: Mode
  /** Unknown members that are there on purpose. */
  readonly unexpected: readonly string[]
}

const suffix = '/.well-known/openid-configuration'
const good = ['PS256', 'ES256']

/** The discovery document of a FAPI-CIBA server (OpenID Connect Discovery 3, CIBA 4, FAPI-CIBA 5.2.2, RFC 8705 3.3). */
export function* metadata(answer: Answer, wanted: Wanted): Check {
  const members = membersOf(answer)
  if (answer.status !== 200) yield found('D status', `HTTP ${answer.status}`)
  const type = header(answer, 'content-type')
  if (!isJsonType(type)) yield found('D content type', brief(type))
  yield* issuer(members, wanted.discoveryUrl)
  yield* schema(members, wanted.unexpected)
  yield* endpoints(members)
  yield* methods(members, wanted.auth)
  yield* backchannel(members, wanted.mode)
  yield* words(members)
}

function* issuer({ issuer }: Members, discoveryUrl: string): Check {
  if (!isHttpsUrl(discoveryUrl) || !new URL(discoveryUrl).pathname.endsWith(suffix)) {
    yield found('D url', discoveryUrl)
  }
  const name = String(issuer)
  const plain = isHttpsUrl(name) && !/[?#]/.test(name) && new URL(name).username === ''
  const same = name.replace(/\/$/, '') === discoveryUrl.slice(0, -suffix.length).replace(/\/$/, '')
  if (!plain || !same) yield found('D issuer', `issuer is ${brief(issuer)}`)
}

function* schema(members: Members, unexpected: readonly string[]): Check {
  for (const [name, value] of Object.entries(members)) {
    const type = memberTypes.get(name)
    if (type !== undefined && !isOfType(value, type)) yield found('D schema', `${name} is ${brief(value)}`)
    if (type === undefined && name !== userCode && !unexpected.includes(name)) yield found('D unknown member', name)
  }
}

function* endpoints(members: Members): Check {
  if (members.tls_client_certificate_bound_access_tokens !== true) {
    yield found('D certificate bound', brief(members.tls_client_certificate_bound_access_tokens))
  }
  for (const name of ['token_endpoint', 'jwks_uri', 'registration_endpoint']) {
    const absent = name === 'registration_endpoint' && members[name] === undefined
    if (!absent && !isHttpsUrl(members[name])) yield found('D https', `${name} is ${brief(members[name])}`)
  }
}

function* methods(members: Members, auth: AuthType): Check {
  const offered = members.token_endpoint_auth_methods_supported
  if (!has(offered, 'private_key_jwt', 'tls_client_auth')) yield found('D auth methods', brief(offered))
  yield* algs(members, 'D id token alg', 'id_token_signing_alg_values_supported')
  if (has(offered, 'private_key_jwt')) {
    yield* algs(members, 'D auth alg', 'token_endpoint_auth_signing_alg_values_supported')
  }
  if (members.userinfo_signing_alg_values_supported !== undefined) {
    yield* algs(members, 'D userinfo alg', 'userinfo_signing_alg_values_supported')
  }
  const ours = auth === 'mtls' ? ['tls_client_auth', 'self_signed_tls_client_auth'] : ['private_key_jwt']
  if (!has(offered, ...ours)) yield found('D variant method', brief(offered))
}

const userCode = 'backchannel_user_code_parameter_supported'

function* backchannel(members: Members, mode: Mode): Check {
  if (!isHttpsUrl(members.backchannel_authentication_endpoint)) {
    yield found('D backchannel endpoint', brief(members.backchannel_authentication_endpoint))
  }
  yield* algs(members, 'D request alg', 'backchannel_authentication_request_signing_alg_values_supported')
  if (members[userCode] !== undefined && typeof members[userCode] !== 'boolean') {
    yield found('D user code', brief(members[userCode]))
  }
  const { grant_types_supported: grants, backchannel_token_delivery_modes_supported: modes } = members
  if (!has(grants, 'urn:openid:params:grant-type:ciba')) yield found('D grant type', brief(grants))
  if (!has(modes, mode)) yield found('D delivery mode', brief(modes))
}

/** Scope values (RFC 6749 3.3) and language tags (BCP 47). */
function* words(members: Members): Check {
  for (const scope of listOf(members.scopes_supported)) {
    if (!/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope)) yield found('D scopes', brief(scope))
  }
  for (const tag of [...listOf(members.ui_locales_supported), ...listOf(members.claims_locales_supported)]) {
    const [proper] = canonical(tag)
    if (proper === undefined) yield found('D locales', brief(tag))
    else if (proper !== tag) yield found('D locale case', `${tag} is usually written ${proper}`)
  }
}

function* algs(members: Members, check: CheckId, name: string): Check {
  if (!has(members[name], ...good)) yield found(check, `${name} is ${brief(members[name])}`)
}

function has(list: unknown, ...anyOf: string[]): boolean {
  return Array.isArray(list) && anyOf.some((each) => list.includes(each))
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function canonical(tag: string): string[] {
  try {
    return Intl.getCanonicalLocales(tag)
  } catch {
    return []
  }
}

function isOfType(value: unknown, type: MemberType): boolean {
  if (type === 'url') return typeof value === 'string' && URL.canParse(value)
  if (type === 'strings') return Array.isArray(value) && value.every((each) => typeof each === 'string')
  if (type === 'object') return isObject(value)
  return type === 'boolean' ? typeof value === 'boolean' : typeof value === 'string'
}
