import type { Answer, Http } from './http.ts'
import { alphanumerics, type Claims, epochSeconds, type Signing, sign } from './jws.ts'
import type { Party } from './party.ts'
import type { Trial } from './trial.ts'

export type Form = Readonly<Record<string, string>>

export const cibaGrant = 'urn:openid:params:grant-type:ciba'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What a module does differently from a well-behaved client. */
export interface Variation {
  /** Changes the claims of the request object. */
  readonly claims?: (claims: Claims) => Claims
  /** Signs the request object. */
  readonly sign?: (claims: Claims, signing: Signing) => Promise<string>
  readonly credentials?: Form
  /** Parameters of a request without a request object. */
  readonly form?: (claims: Claims) => Form
}

/** The parameters that a client asks with (CIBA 7.1). */
export function parametersOf(trial: Trial, party: Party, more: Claims = {}): Claims {
  const { hint_type, hint_value } = trial.config.client
  return { scope: party.scope, [hint_type]: hint_value, binding_message: '1234', ...more }
}

/** The claims that sign them (CIBA 7.1.1). */
export function claimsOf(trial: Trial, party: Party, parameters: Claims): Claims {
  const now = epochSeconds()
  return {
    ...parameters,
    iat: now,
    nbf: now,
    exp: now + 300,
    jti: alphanumerics(20),
    aud: trial.server.issuer,
    iss: party.clientId,
  }
}

/** Sends a backchannel authentication request. */
export async function askBackchannel(
  trial: Trial,
  party: Party,
  parameters: Claims,
  variation: Variation = {},
): Promise<Answer> {
  const { claims: change = (same) => same, sign: signed = sign, form } = variation
  const claims = change(claimsOf(trial, party, parameters))
  const signing = { key: party.key, typ: party.second ? 'OAuth-Authz-Req+JWT' : undefined }
  return party.http.send(trial.server.backchannelEndpoint(trial.auth), {
    method: 'POST',
    form: {
      ...(form === undefined ? { request: await signed(claims, signing) } : form(parameters)),
      ...(variation.credentials ?? (await backchannelCredentials(trial, party))),
    },
  })
}

export interface Redemption {
  readonly credentials?: Form
  /** Another connection than the client's own. */
  readonly http?: Http
}

/** Asks for the tokens of a request. */
export function askToken(trial: Trial, party: Party, authReqId: string, redemption: Redemption = {}): Promise<Answer> {
  return askForGrant(trial, party, { grant_type: cibaGrant, auth_req_id: authReqId }, redemption)
}

export async function askForGrant(
  trial: Trial,
  party: Party,
  grant: Form,
  { credentials, http = party.http }: Redemption = {},
): Promise<Answer> {
  return http.send(trial.server.tokenEndpoint, {
    method: 'POST',
    form: { ...grant, ...(credentials ?? (await tokenCredentials(trial, party))) },
  })
}

export interface Assertion {
  readonly alg?: string
  readonly aud?: string
}

export function backchannelCredentials(trial: Trial, party: Party, assertion: Assertion = {}): Promise<Form> {
  const aud = trial.server.endpoint('backchannel_authentication_endpoint') ?? ''
  return credentialsOf(party, { aud, ...assertion })
}

export function tokenCredentials(trial: Trial, party: Party, assertion: Assertion = {}): Promise<Form> {
  return credentialsOf(party, { aud: trial.server.tokenEndpoint, ...assertion })
}

/** `client_id` beside the certificate, or an assertion (OpenID Connect Core 9). */
async function credentialsOf({ auth, clientId, key }: Party, { aud, alg }: Assertion): Promise<Form> {
  if (auth === 'mtls') return { client_id: clientId }
  const now = epochSeconds()
  const claims = { iss: clientId, sub: clientId, aud, jti: alphanumerics(20), iat: now, nbf: now, exp: now + 60 }
  return { client_assertion_type: assertionType, client_assertion: await sign(claims, { key, alg }) }
}
