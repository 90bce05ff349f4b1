import { keyPair } from '../../helpers/keys.ts'
import { discovery, jwks } from '../checks/documents.ts'
import { metadata } from '../checks/metadata.ts'
import { notification } from '../checks/notification.ts'
import { makeCredentials, publicKeys } from '../material.ts'
import { clientKeys } from '../party.ts'
import { answer, type Case, html, sees } from './cases.ts'

const base = 'https://op.example'
const document = {
  issuer: base,
  token_endpoint: `${base}/token`,
  backchannel_authentication_endpoint: `${base}/bc`,
  jwks_uri: `${base}/jwks`,
  tls_client_certificate_bound_access_tokens: true,
  id_token_signing_alg_values_supported: ['PS256'],
  token_endpoint_auth_methods_supported: ['private_key_jwt', 'self_signed_tls_client_auth'],
  token_endpoint_auth_signing_alg_values_supported: ['PS256'],
  backchannel_authentication_request_signing_alg_values_supported: ['ES256'],
  backchannel_user_code_parameter_supported: false,
  grant_types_supported: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_modes_supported: ['poll', 'ping'],
  scopes_supported: ['openid'],
  ui_locales_supported: ['en-GB'],
}
const discoveryUrl = `${base}/.well-known/openid-configuration`
const wanted = { discoveryUrl, auth: 'mtls', mode: 'ping', unexpected: [] } as const
const read = (change: object) => discovery(answer(200, { ...document, ...change }))
const judged = (change: object, wants: object = {}, status = 200, headers = {}) =>
  metadata(answer(status, { ...document, ...change }, headers), { ...wanted, ...wants })

const credentials = makeCredentials('selftest')
const [key] = publicKeys(credentials).keys
const keys = (...all: unknown[]) => jwks(answer(200, { keys: all }))
const small = keyPair('rsa', 1024).publicKey.export({ format: 'jwk' })
const { x5c: foreign } = publicKeys(makeCredentials('other')).keys[0]!

const ping = {
  contentType: 'application/json',
  authorization: 'bearer token~+/=',
  body: '{"auth_req_id":"a"}',
  protocol: 'TLSv1.3',
  suite: 'TLS_AES_128_GCM_SHA256',
}
const called = (change: object) => notification({ ...ping, ...change }, { token: 'token~+/=', authReqId: 'a' })

export const documents: readonly Case[] = [
  sees('nothing', 'a discovery document', () => read({ mtls_endpoint_aliases: { token_endpoint: `${base}:1/t` } })),
  sees('S1 discovery', 'HTML', () => discovery(html)),
  sees('S1 endpoint', 'no token endpoint', () => read({ token_endpoint: undefined })),
  sees('S1 endpoint', 'a relative endpoint', () => read({ backchannel_authentication_endpoint: '/bc' })),
  sees('S2 aliases', 'a list of aliases', () => read({ mtls_endpoint_aliases: [] })),
  sees('S2 aliases', 'an alias for nothing', () => read({ mtls_endpoint_aliases: { userinfo_endpoint: base } })),
  sees('S2 aliases', 'no endpoint', () => read({ mtls_endpoint_aliases: { jwks_uri: base } })),
  sees('S2 aliases', 'the authorization endpoint', () =>
    read({ authorization_endpoint: base, mtls_endpoint_aliases: { authorization_endpoint: base } }),
  ),

  sees('nothing', 'a key set', () => keys(key)),
  sees('S4 jwks', 'a bare list', () => jwks(answer(200, [key]))),
  sees('S4 private key', 'a private key', () => keys(credentials.key)),
  sees('S4 private key', 'a symmetric key', () => keys({ kty: 'oct', kid: 'a', k: 'AAAA' })),
  sees('S4 key', 'padding', () => keys({ ...key, n: `${key?.n}==` })),
  sees('S4 key', 'no exponent', () => keys({ ...key, e: undefined })),
  sees('S4 key', 'a point beside the curve', () =>
    keys({ kty: 'EC', crv: 'P-256', kid: 'a', alg: 'ES256', x: 'A'.repeat(43), y: 'A'.repeat(43) }),
  ),
  sees('S4 key', 'a word for a key', () => keys('key')),
  sees('S4 key', 'the certificate of another key', () => keys({ ...key, x5c: foreign })),
  sees('S4 unknown type', 'a type of tomorrow', () => keys({ kty: 'AKP', kid: 'a' })),
  sees('S4 kid', 'no kid', () => keys({ ...key, kid: undefined })),
  sees('S4 size', 'RSA with 1024 bits', () => keys({ ...small, kid: 'a', alg: 'PS256' })),

  sees('nothing', 'the keys of a client', () => clientKeys([credentials.key])),
  sees('S6 client', 'no key', () => clientKeys([])),
  sees('S6 client', 'two keys', () => clientKeys([credentials.key, credentials.key])),
  sees('S6 client', 'an RS256 key', () => clientKeys([{ ...credentials.key, alg: 'RS256' }])),
  sees('S6 client', 'a kid twice', () => clientKeys([credentials.key, { ...credentials.key, use: 'enc' }])),

  sees('nothing', 'metadata', () => judged({})),
  sees('nothing', 'unknown on purpose', () => judged({ x: 1 }, { unexpected: ['x'] })),
  sees('D status', 'HTTP 203', () => judged({}, {}, 203)),
  sees('D content type', 'text', () => judged({}, {}, 200, { 'content-type': 'text/plain' })),
  sees('D url', 'another path', () => judged({}, { discoveryUrl: `${base}/.well-known/oauth` })),
  sees('D issuer', 'another issuer', () => judged({ issuer: `${base}/x` })),
  sees('D issuer', 'http', () =>
    judged({ issuer: 'http://op.example' }, { discoveryUrl: discoveryUrl.replace('https', 'http') }),
  ),
  sees('D schema', 'a word for a list', () => judged({ scopes_supported: 'openid' })),
  sees('D schema', 'a word for a truth', () => judged({ request_parameter_supported: 'true' })),
  sees('D schema', 'a path for a URL', () => judged({ userinfo_endpoint: '/userinfo' })),
  sees('D unknown member', 'a member nobody knows', () => judged({ frobnicate: true })),
  sees('D certificate bound', 'absent', () => judged({ tls_client_certificate_bound_access_tokens: undefined })),
  sees('D certificate bound', 'false', () => judged({ tls_client_certificate_bound_access_tokens: false })),
  sees('D id token alg', 'RS256 alone', () => judged({ id_token_signing_alg_values_supported: ['RS256'] })),
  sees('D auth methods', 'self-signed alone', () =>
    judged({ token_endpoint_auth_methods_supported: ['self_signed_tls_client_auth'] }),
  ),
  sees('D auth alg', 'RS256 alone', () => judged({ token_endpoint_auth_signing_alg_values_supported: ['RS256'] })),
  sees('D userinfo alg', 'RS256 alone', () => judged({ userinfo_signing_alg_values_supported: ['RS256'] })),
  sees('D https', 'an http endpoint', () => judged({ registration_endpoint: 'http://op.example/reg' })),
  sees('D https', 'no keys', () => judged({ jwks_uri: undefined })),
  sees('D scopes', 'a space', () => judged({ scopes_supported: ['open id'] })),
  sees('D locales', 'no tag', () => judged({ ui_locales_supported: ['en_GB'] })),
  sees('D locale case', 'capitals', () => judged({ claims_locales_supported: ['EN-gb'] })),
  sees('D variant method', 'no mutual TLS', () =>
    judged({ token_endpoint_auth_methods_supported: ['private_key_jwt'] }),
  ),
  sees('D variant method', 'no assertions', () =>
    judged({ token_endpoint_auth_methods_supported: ['tls_client_auth'] }, { auth: 'private_key_jwt' }),
  ),
  sees('D backchannel endpoint', 'http', () => judged({ backchannel_authentication_endpoint: 'http://op.example/bc' })),
  sees('D request alg', 'absent', () =>
    judged({ backchannel_authentication_request_signing_alg_values_supported: undefined }),
  ),
  sees('D user code', 'a word', () => judged({ backchannel_user_code_parameter_supported: 'no' })),
  sees('D grant type', 'absent', () => judged({ grant_types_supported: ['refresh_token'] })),
  sees('D delivery mode', 'poll alone', () => judged({ backchannel_token_delivery_modes_supported: ['poll'] })),

  sees('nothing', 'a ping', () => called({})),
  sees('N1 content type', 'a form', () => called({ contentType: 'application/x-www-form-urlencoded' })),
  sees('N2 authorization', 'no token', () => called({ authorization: undefined })),
  sees('N2 authorization', 'another token', () => called({ authorization: 'Bearer token' })),
  sees('N2 authorization', 'basic', () => called({ authorization: 'Basic token~+/=' })),
  sees('N3 body', 'a member more', () => called({ body: '{"auth_req_id":"a","status":"done"}' })),
  sees('N3 body', 'another id', () => called({ body: '{"auth_req_id":"b"}' })),
  sees('N3 body', 'no JSON', () => called({ body: 'auth_req_id=a' })),
  sees('N4 tls', 'TLS 1.2', () => called({ protocol: 'TLSv1.2' })),
]
