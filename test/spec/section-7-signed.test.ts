import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { z } from 'zod'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const pair = await generateKeyPair('PS256', { extractable: true })
const other = await generateKeyPair('PS256', { extractable: true })
const secret = 'till-secret-0123456789-0123456789'
const signing: ClientMetadata = {
  client_id: 'till',
  client_secret: secret,
  backchannel_token_delivery_mode: 'poll',
  backchannel_authentication_request_signing_alg: 'PS256',
  jwks: { keys: [{ ...((await exportJWK(pair.publicKey)) as { kty: string }), kid: 'a' }] },
}

describe('CIBA Core 7.1.1: the signed request', () => {
  let host: Host
  before(async () => {
    host = await startHost({
      requests: {
        authorizationDetails: { transfer: z.strictObject({ type: z.literal('transfer'), amount: z.string() }) },
      },
      clients: {
        find: ({ clientId: id }) =>
          id === 'till' ? signing : id === 'twin' ? { ...signing, client_id: 'twin' } : undefined,
      },
    })
  })
  after(() => host.close())

  const now = () => Math.floor(Date.now() / 1000)
  const claims = (changes: Record<string, unknown> = {}): JWTPayload =>
    ({
      iss: 'till',
      aud: host.origin,
      iat: now(),
      nbf: now(),
      exp: now() + 300,
      jti: crypto.randomUUID(),
      scope: 'openid',
      login_hint: 'alice@example.com',
      ...changes,
    }) as JWTPayload
  const sign = (payload: JWTPayload, header: Record<string, unknown> = {}, key = pair.privateKey) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'PS256', kid: 'a', ...header }).sign(key)
  const send = async (request: string, form: Record<string, string> = {}) => {
    const { status, body } = await clientOf(host).start({ request, ...form })
    return status === 200 ? 'accepted' : `${status} ${body.error}`
  }

  it('CIBA-7.1.1-04, CIBA-7.1.1-12, CIBA-7.1.1-14, CIBA-7.2-03 takes all parameters from inside', async () => {
    expect(await send(await sign(claims({ binding_message: 'W4SCT', acr_values: 'a b' })))).to.equal('accepted')
  })

  for (const [rule, what, changes] of [
    ['CIBA-7.1.1-01', 'scope that is no string', () => ({ scope: ['openid'] })],
    ['CIBA-7.1.1-01', 'login_hint that is no string', () => ({ login_hint: 5 })],
    ['CIBA-7.1.1-06', 'no aud', () => ({ aud: undefined })],
    ['CIBA-7.1.1-06', 'another aud', () => ({ aud: 'https://other.example' })],
    ['CIBA-7.1.1-07', 'no iss', () => ({ iss: undefined })],
    ['CIBA-7.1.1-07', "another client's iss", () => ({ iss: 'twin' })],
    ['CIBA-7.1.1-08', 'no exp', () => ({ exp: undefined })],
    ['CIBA-7.1.1-08', 'exp an hour ago', () => ({ exp: now() - 3600 })],
    ['CIBA-7.1.1-08', 'exp as text', () => ({ exp: String(now() + 300) })],
    ['FCIBA-4.1.1-11, FAPI1-5.2.2-04', 'exp in 70 minutes', () => ({ exp: now() + 4200 })],
    ['CIBA-7.1.1-09', 'no iat', () => ({ iat: undefined })],
    ['CIBA-7.1.1-10', 'no nbf', () => ({ nbf: undefined })],
    ['CIBA-7.1.1-10', 'nbf in 10 minutes', () => ({ nbf: now() + 600, exp: now() + 900 })],
    ['FCIBA-4.1.1-11, FAPI1-5.2.2-04', 'nbf 70 minutes ago', () => ({ nbf: now() - 4200 })],
    ['CIBA-7.1.1-11', 'no jti', () => ({ jti: undefined })],
    ['CIBA-7.1.1-11', 'a jti of 257 characters', () => ({ jti: 'x'.repeat(257) })],
    ['R9101-4-01', 'a request inside', () => ({ request: 'a.b.c' })],
    ['R9101-4-01', 'a request_uri inside', () => ({ request_uri: 'https://till.example/r' })],
    ['R8707-2', 'a resource that is no text', () => ({ resource: ['https://api.example', 5] })],
    ['R9101-10.8-01', 'sub equal to the client', () => ({ sub: 'till' })],
    ['threat 46', 'a name that reaches a prototype', () => ({ request_context: JSON.parse('{"__proto__":{}}') })],
    ['CIBA-7.1-24', 'requested_expiry of a fraction', () => ({ requested_expiry: 1.5 })],
    ['CIBA-7.2-11', 'two hints', () => ({ login_hint_token: 'nobody' })],
  ] as [string, string, () => Record<string, unknown>][]) {
    it(`${rule} refuses ${what}`, async () => {
      expect(await send(await sign(claims(changes())))).to.equal('400 invalid_request')
    })
  }

  it('CIBA-7.1.1-06 takes an aud that lists us', async () => {
    expect(await send(await sign(claims({ aud: ['https://other.example', host.origin] })))).to.equal('accepted')
  })

  it('reads one resource and several', async () => {
    for (const resource of ['https://nobody.example', ['https://nobody.example']])
      expect(await send(await sign(claims({ resource })))).to.equal('400 invalid_target')
  })

  it('R9396-3-01, OIDC-5.5-01 takes authorization_details and claims as JSON and as text', async () => {
    const authorization_details = [{ type: 'transfer', amount: '5.00' }]
    const asked = { authorization_details, claims: { id_token: { email: null } } }
    const texts = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, JSON.stringify(value)]))
    for (const each of [asked, texts]) expect(await send(await sign(claims(each)))).to.equal('accepted')
    for (const wrong of [{ authorization_details: [{ type: 'transfer' }] }, { authorization_details: {} }])
      expect(await send(await sign(claims(wrong)))).to.equal('400 invalid_authorization_details')
    expect(await send(await sign(claims({ claims: [] })))).to.equal('400 invalid_request')
  })

  it('CIBA-7.1.1-02 takes requested_expiry as number and as string', async () => {
    for (const requested_expiry of [300, '300']) {
      const { body } = await clientOf(host).start({ request: await sign(claims({ requested_expiry })) })
      expect(body.expires_in).to.equal(300)
    }
  })

  it('CIBA-7.1.1-03, FCIBA-4.1.1-08, FCIBA-4.1.3-01 takes request_context as object and as text', async () => {
    const context = { channel: 'link', login_hint_type: 'email' }
    for (const request_context of [context, JSON.stringify(context)]) {
      const { body } = await clientOf(host).start({ request: await sign(claims({ request_context })) })
      expect(body.link).to.be.a('string')
    }
  })

  it('CIBA-7.1.1-05, R9101-6.2-01, R8725-3.8-01 holds to the registered algorithm and key', async () => {
    const { importJWK } = await import('jose')
    const rs256 = await importJWK(await exportJWK(pair.privateKey), 'RS256')
    expect(await send(await sign(claims(), { alg: 'RS256' }, rs256 as never))).to.equal('400 invalid_request')
    expect(await send(await sign(claims(), {}, other.privateKey))).to.equal('400 invalid_request')
    const [, payload] = (await sign(claims())).split('.')
    const header = Buffer.from('{"alg":"none"}').toString('base64url')
    expect(await send(`${header}.${payload}.`)).to.equal('400 invalid_request')
    const good = await sign(claims())
    expect(await send(`${good.slice(0, -6)}AAAAAA`)).to.equal('400 invalid_request')
    const hmac = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret))
    expect(await send(hmac)).to.equal('400 invalid_request')
  })

  it('CIBA-7.1.1-11, threat 19 takes each request once, however many race', async () => {
    const request = await sign(claims())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => send(request)))
    expect(outcomes.filter((each) => each === 'accepted')).to.have.length(1)
    expect(host.events.filter(({ type }) => type === 'replay.seen')).to.have.length(19)
  })

  it('CIBA-7.1.1-13, FAPI1-5.2.2-03 refuses every parameter outside', async () => {
    for (const form of [
      { scope: 'openid' },
      { login_hint: 'alice' },
      { binding_message: '' },
      { resource: 'https://api.example' },
      { request_uri: 'https://till.example/r' },
    ] as Record<string, string>[]) {
      expect(await send(await sign(claims()), form)).to.equal('400 invalid_request')
    }
    expect(await send(await sign(claims()), { unknown: 'x', client_id: 'till' })).to.equal('accepted')
  })

  it('CIBA-7.1.1-15 refuses what is encrypted, and JSON serialization', async () => {
    for (const request of ['a.b.c.d.e', '{"payload":"x"}', 'abc'])
      expect(await send(request)).to.equal('400 invalid_request')
  })

  it('CIBA-7.1.1-17 takes a typ in any case, and no other type', async () => {
    for (const typ of ['JWT', 'oauth-authz-req+jwt', 'OAuth-AuthZ-Req+JWT', undefined]) {
      expect(await send(await sign(claims(), { typ }))).to.equal('accepted')
    }
    for (const typ of ['at+jwt', 'dpop+jwt', 'client-authentication+jwt']) {
      expect(await send(await sign(claims(), { typ }))).to.equal('400 invalid_request')
    }
  })

  it('threat 24, R8725-3.12-01: a client assertion does as no request, and a request as no assertion', async () => {
    const assertion = await sign(claims({ sub: 'till' }))
    expect(await send(assertion)).to.equal('400 invalid_request')
  })

  it('FCIBA-4.1.1-10 may be demanded', async () => {
    const strict = await startHost({ requests: { requireSigned: true }, clients: { find: () => signing } })
    const { status, body } = await clientOf(strict).start()
    expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
    await strict.close()
  })
})
