import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { readClient } from '../../lib/protocol/client/metadata.ts'
import { contextFor } from '../helpers/context.ts'

const ciba = 'urn:openid:params:grant-type:ciba'
const base = {
  client_id: 'till',
  client_secret: 'x'.repeat(40),
  backchannel_token_delivery_mode: 'poll',
  grant_types: [ciba],
} as const
const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] }
const read = (changes: Record<string, unknown>) => () => readClient({ ...base, ...changes } as ClientMetadata)

describe('client metadata', () => {
  it('gets its defaults', () => {
    const client = readClient(base)
    expect(client).to.include({ id: 'till', name: 'till', authMethod: 'client_secret_basic', deliveryMode: 'poll' })
    expect(client.scope).to.equal(undefined)
  })

  it('lets members through that it does not know', () => {
    expect(read({ 'x-branch': 17, software_id: 'a' })).not.to.throw()
  })

  const mistakes: [string, Record<string, unknown>, RegExp][] = [
    [
      'CIBA-4-12',
      { backchannel_token_delivery_mode: 'pull' },
      /client "till": backchannel_token_delivery_mode must be poll, ping or push/,
    ],
    ['CIBA-4-09', { grant_types: ['authorization_code'] }, /grant_types must contain/],
    [
      'CIBA-4-10',
      { backchannel_token_delivery_mode: 'ping' },
      /backchannel_client_notification_endpoint is needed for ping/,
    ],
    [
      'CIBA-4-10',
      { backchannel_token_delivery_mode: 'push' },
      /backchannel_client_notification_endpoint is needed for push/,
    ],
    [
      'CIBA-4-13',
      { backchannel_client_notification_endpoint: 'http://till.example/cb' },
      /backchannel_client_notification_endpoint must be an https URL/,
    ],
    [
      'CIBA-4-13',
      { backchannel_client_notification_endpoint: 'https://a:b@till.example/cb' },
      /must not hold credentials/,
    ],
    [
      'CIBA-4-14',
      { backchannel_authentication_request_signing_alg: 'HS256', jwks },
      /backchannel_authentication_request_signing_alg must be one of/,
    ],
    [
      'CIBA-4-11',
      { backchannel_authentication_request_signing_alg: 'ES256' },
      /jwks or jwks_uri is needed for signed requests/,
    ],
    [
      'CIBA-4-20',
      { subject_type: 'pairwise', token_endpoint_auth_method: 'private_key_jwt', jwks },
      /sector_identifier_uri or jwks_uri is needed/,
    ],
    [
      'CIBA-4-23',
      { subject_type: 'pairwise', jwks_uri: 'https://till.example/jwks' },
      /pairwise subjects need signed requests/,
    ],
    [
      'OIDC-9-01',
      { token_endpoint_auth_method: 'none' },
      /token_endpoint_auth_method must be a method that authenticates/,
    ],
    [
      'OIDC-16.19-01',
      { token_endpoint_auth_method: 'client_secret_jwt', client_secret: 'short' },
      /client_secret is too short for HS256/,
    ],
    ['R7591-2-01', { jwks, jwks_uri: 'https://till.example/jwks' }, /jwks and jwks_uri exclude each other/],
    ['R8705-2-02', { token_endpoint_auth_method: 'tls_client_auth' }, /needs exactly one of/],
    [
      'R8705-2-02',
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a', tls_client_auth_san_ip: '::1' },
      /needs exactly one of/,
    ],
    [
      'a private key',
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...jwks.keys[0], d: 'c' }] } },
      /jwks\.keys\.0 must be a public key/,
    ],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'c' }] } }, /jwks\.keys\.0 must be a public key/],
    [
      'a key missing',
      { token_endpoint_auth_method: 'private_key_jwt' },
      /jwks or jwks_uri is needed for private_key_jwt/,
    ],
    [
      'part of a private key',
      { jwks: { keys: [{ kty: 'RSA', n: 'A'.repeat(342), e: 'AQAB', qi: 'c' }] } },
      /jwks\.keys\.0 must be a public key/,
    ],
    [
      'threat 54 a short RSA key',
      { jwks: { keys: [{ kty: 'RSA', n: 'A'.repeat(171), e: 'AQAB' }] } },
      /must have 2048 bits/,
    ],
    ['threat 55 51 keys', { jwks: { keys: Array(51).fill(jwks.keys[0]) } }, /jwks\.keys must hold 50 keys at most/],
    ['no keys', { jwks: { keys: [] } }, /jwks\.keys must hold a key/],
    [
      'a name that is none',
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'till' },
      /tls_client_auth_subject_dn must be a distinguished name such as/,
    ],
    ['a control character', { client_id: 'a\0b' }, /client_id must be 1 to 255 characters/],
    ['an id that is too long', { client_id: 'x'.repeat(256) }, /client_id must be 1 to 255 characters/],
    ['a member of another type', { scope: 5 }, /client "till": scope is not valid: .*string/],
    ['a secret missing', { client_secret: undefined }, /client_secret is needed for client_secret_basic/],
    [
      'an algorithm of another method',
      { token_endpoint_auth_method: 'private_key_jwt', jwks, token_endpoint_auth_signing_alg: 'HS256' },
      /does not fit private_key_jwt/,
    ],
  ]
  for (const [rule, changes, message] of mistakes) {
    it(`${rule}: ${message.source}`, () => {
      expect(read(changes)).to.throw(TypeError, message)
    })
  }

  it('lets keys through whose type it does not know, and kids that are not unique', () => {
    const key = { ...jwks.keys[0], kid: '1' }
    expect(read({ jwks: { keys: [{ kty: 'AKP', alg: 'ML-DSA-44', pub: 'a' }, key, key] } })).not.to.throw()
  })

  it('says so when it is no object at all', async () => {
    for (const wrong of [null, 'till', 5, []]) {
      expect(() => readClient(wrong as never)).to.throw(TypeError, /client without client_id: /)
    }
    for (const wrong of ['till', 5, []]) {
      const { clients } = contextFor({ clients: { find: () => wrong as never } })
      const thrown: unknown = await clients.find('till').catch((error) => error)
      expect(thrown).to.be.an.instanceOf(TypeError).with.property('message').that.includes('"clients.find" returned')
    }
    const { clients } = contextFor({ clients: { find: () => null as never } })
    expect(await clients.find('till')).to.equal(undefined)
  })

  it('is checked once per object, and again when a member of it changes', async () => {
    const metadata: { -readonly [K in keyof ClientMetadata]: ClientMetadata[K] } = { ...base }
    const { find } = contextFor({ clients: { find: () => metadata } }).clients
    const first = await find('till')
    expect(first).to.include({ id: 'till', name: 'till' })
    expect(await find('till')).to.equal(first)
    metadata.client_name = 'Corner Bank'
    expect((await find('till'))?.name).to.equal('Corner Bank')
    delete metadata.backchannel_token_delivery_mode
    expect((await find('till'))?.deliveryMode).to.equal(undefined)
  })
})
