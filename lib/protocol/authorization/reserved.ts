// What tokens and answers say about themselves is ours to write: nobody's claims, header members or properties.

export const idTokenClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'azp', 'nonce', 'auth_time', 'acr', 'amr', 'cnf'],
  ...['at_hash', 'c_hash', 's_hash'],
  ...['urn:openid:params:jwt:claim:auth_req_id', 'urn:openid:params:jwt:claim:rt_hash'],
])

export const accessTokenClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'auth_time', 'acr', 'amr', 'cnf'],
  'authorization_details',
])

/** RFC 7515 4.1; OpenID Connect Core 2: an ID token brings no keys. */
export const idTokenHeader: ReadonlySet<string> = new Set([
  ...['alg', 'kid', 'typ', 'cty', 'crit', 'b64', 'enc', 'zip'],
  ...['jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'],
])

export const tokenResponse: ReadonlySet<string> = new Set([
  ...['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token', 'auth_req_id'],
  ...['authorization_details', 'grant_id', 'error', 'error_description', 'error_uri', '__proto__'],
])
