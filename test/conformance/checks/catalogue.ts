/**
 * Every check, and what a breach of it does to the module:
 * `stop` fails and ends it, `fail` fails it, `review` asks a human, `warn` leaves a mark.
 */
export type Level = 'stop' | 'fail' | 'review' | 'warn'

export const catalogue = {
  // the documents that every module starts from
  'S1 discovery': 'stop',
  'S1 endpoint': 'stop',
  'S2 aliases': 'fail',
  'S4 jwks': 'stop',
  'S4 private key': 'fail',
  'S4 key': 'fail',
  'S4 unknown type': 'warn',
  'S4 kid': 'fail',
  'S4 size': 'fail',
  'S6 client': 'stop',
  'S6 acr_value': 'stop',

  // the discovery document
  'D status': 'fail',
  'D content type': 'fail',
  'D url': 'fail',
  'D issuer': 'fail',
  'D schema': 'fail',
  'D unknown member': 'warn',
  'D certificate bound': 'fail',
  'D id token alg': 'fail',
  'D auth methods': 'fail',
  'D auth alg': 'fail',
  'D userinfo alg': 'fail',
  'D https': 'fail',
  'D scopes': 'fail',
  'D locales': 'fail',
  'D locale case': 'warn',
  'D variant method': 'fail',
  'D backchannel endpoint': 'fail',
  'D request alg': 'warn',
  'D user code': 'warn',
  'D grant type': 'fail',
  'D delivery mode': 'fail',

  // an accepted backchannel request
  'B1 accepted': 'stop',
  'B2 auth_req_id': 'fail',
  'B2 characters': 'fail',
  'B2 length': 'fail',
  'B2 entropy': 'fail',
  'B2 more entropy': 'warn',
  'B3 expires_in': 'fail',
  'B4 interval': 'fail',

  // a refusal
  'E1 object': 'stop',
  'E2 members': 'fail',
  'E2 error': 'fail',
  'E3 text': 'fail',
  'E3 white space': 'warn',
  'E3 error_uri': 'fail',
  'E4 refusal': 'fail',

  // the token endpoint while the user has not answered
  'T1 content type': 'fail',
  'T2 pending': 'stop',
  'T3 error': 'fail',
  'T5 tries': 'stop',
  'T8 retry-after': 'fail',
  'T9 refusal': 'fail',

  // tokens
  'K1 status': 'stop',
  'K1 no-store': 'fail',
  'K2 access token': 'stop',
  'K2 token type': 'fail',
  'K2 entropy': 'fail',
  'K3 expires_in': 'fail',
  'K3 expires_in missing': 'warn',
  'K4 refresh token': 'fail',
  'K5 id_token': 'stop',
  'K6 header': 'fail',
  'K6 signature': 'fail',
  'K6 same key twice': 'fail',
  'K7 iss': 'fail',
  'K7 aud': 'fail',
  'K7 exp': 'fail',
  'K7 iat': 'fail',
  'K7 auth_time': 'fail',
  'K7 sub': 'fail',
  'K7 acr': 'fail',
  'K7 profile': 'fail',
  'K8 nonce': 'fail',
  'K9 auth_req_id': 'fail',
  'K9 hash': 'fail',
  'K10 hash': 'warn',
  'K11 encryption': 'fail',
  'K12 acr': 'fail',

  // the resource
  'P1 status': 'fail',
  'P3 date': 'fail',
  'P3 interaction id': 'fail',
  'P3 content type': 'fail',
  'P4 query token': 'fail',
  'P5 stolen token': 'fail',

  // the ping
  'N1 content type': 'stop',
  'N2 authorization': 'fail',
  'N3 body': 'fail',
  'N4 tls': 'warn',
  'N6 stray call': 'fail',
  'N7 no ping': 'stop',
  'N8 second ping': 'fail',
  'N8 redirect followed': 'fail',

  // the approval URL of the configuration
  'A3 approval': 'stop',
  'A7 screenshot': 'fail',
  'A7 look at the device': 'review',

  // particular modules
  'M35 audience': 'warn',
  'M36 token': 'warn',
  'M42 not issued': 'warn',
  'M42 characters': 'fail',
  'M42 id token': 'fail',
  'M43 without certificate': 'fail',

  // TLS
  'TLS suites': 'fail',
  'TLS old': 'fail',
  'TLS 1.3': 'warn',
  'TLS 1.3 first': 'fail',
  'TLS other suite': 'fail',
  'TLS DHE': 'warn',
  'TLS endpoint': 'fail',

  // anything that keeps a module from going on
  'X error': 'stop',

  // dynamic registration
  'R status': 'stop',
  'R client_id': 'stop',
  'R management': 'fail',
  'R secret': 'fail',
  'R delete': 'warn',
} as const satisfies Record<string, Level>

export type CheckId = keyof typeof catalogue

/** A breach that was seen. */
export interface Finding {
  readonly check: CheckId
  readonly level: Level
  readonly text: string
}

/** A check yields what it finds: nothing when all is well. */
export type Check = Generator<Finding, void, undefined>
/** A check that has to compute or connect first. */
export type AsyncCheck = AsyncGenerator<Finding, void, undefined>
export type Findings = Iterable<Finding> | AsyncIterable<Finding>

export function found(check: CheckId, text: string): Finding {
  return { check, level: catalogue[check], text }
}
