import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type Hint, type Jwk, loginHintTokens } from 'express-ciba'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost, users } from '../helpers/host.ts'

const current = await generateKeyPair('ES256', { extractable: true })
const retired = await generateKeyPair('ES256', { extractable: true })
const stranger = await generateKeyPair('ES256', { extractable: true })
const partner = await generateKeyPair('ES256', { extractable: true })
const jwk = async (key: Parameters<typeof exportJWK>[0], kid: string) => ({
  ...((await exportJWK(key)) as Jwk),
  kid,
  alg: 'ES256',
})

describe('CIBA Core 14: id_token_hint and login_hint_token', () => {
  let host: Host
  const hints: Hint[] = []
  before(async () => {
    host = await startHost({
      keys: { keys: [await jwk(current.privateKey, 'now'), await jwk(retired.publicKey, 'before')] },
      users: {
        find({ hint }) {
          hints.push(hint)
          return users.find((user) => [user.sub, user.email, user.phone_number].includes(hint.value))
        },
      },
      requests: {
        loginHintToken: loginHintTokens({
          issuers: { 'https://partner.example': { keys: [await jwk(partner.publicKey, 'p')] } },
          audience: 'https://login.example.com',
        }),
      },
    })
  })
  after(() => host.close())

  const now = () => Math.floor(Date.now() / 1000)
  const sign = (claims: JWTPayload, key: typeof current.privateKey, header = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
  const idToken = (changes: JWTPayload = {}, key = current.privateKey, header = {}) =>
    sign({ iss: host.origin, aud: 'till', sub: 'alice', iat: now() - 100, exp: now() - 50, ...changes }, key, header)
  const hintToken = (changes: JWTPayload = {}, key = partner.privateKey) =>
    sign(
      {
        iss: 'https://partner.example',
        aud: 'https://login.example.com',
        email: 'alice@example.com',
        iat: now(),
        exp: now() + 60,
        ...changes,
      },
      key,
    )
  const send = async (form: Record<string, string>) => {
    const { status, body } = await clientOf(host).start({ scope: 'openid', ...form })
    return status === 200 ? 'accepted' : body.error
  }

  it('BCP247-6.1.15 lets the host tell an ID token from a name that the client made up', async () => {
    await send({ id_token_hint: await idToken({ auth_time: 1_700_000_000 }) })
    await send({ login_hint: JSON.stringify({ format: 'iss_sub', iss: host.origin, sub: 'alice' }) })
    const [token, name] = hints.slice(-2)
    expect(token).to.deep.include({ type: 'sub', value: 'alice' })
    expect(token?.claims).to.include({ sub: 'alice', auth_time: 1_700_000_000 })
    expect(name).to.deep.equal({ type: 'sub', value: 'alice' })
  })

  it('CIBA-14-03, OIDC-3.1.2.2-02 takes an ID token of ours, expired or not', async () => {
    expect(await send({ id_token_hint: await idToken() })).to.equal('accepted')
    expect(await send({ id_token_hint: await idToken({ exp: now() + 60, aud: ['till', 'other'] }) })).to.equal(
      'accepted',
    )
  })

  it('CIBA-14-05 takes one that a retired key signed', async () => {
    expect(await send({ id_token_hint: await idToken({}, retired.privateKey, { kid: 'before' }) })).to.equal('accepted')
  })

  for (const [what, changes, error] of [
    ["CIBA-14-04 another client's", { aud: 'agent' }, 'invalid_request'],
    ["OIDC-3.1.2.2-01 another issuer's", { iss: 'https://other.example' }, 'invalid_request'],
    ['threat 25: one of a year ago', { iat: now() - 31_536_000 }, 'unknown_user_id'],
    ['one without iat', { iat: undefined as never }, 'unknown_user_id'],
    ['one of nobody', { sub: 'nobody' }, 'unknown_user_id'],
    ['one without sub', { sub: undefined as never }, 'unknown_user_id'],
  ] as [string, JWTPayload, string][]) {
    it(`refuses ${what}`, async () => {
      expect(await send({ id_token_hint: await idToken(changes) })).to.equal(error)
    })
  }

  it('threat 24: refuses one signed by others, and an access token', async () => {
    expect(await send({ id_token_hint: await idToken({}, stranger.privateKey) })).to.equal('invalid_request')
    expect(await send({ id_token_hint: await idToken({}, current.privateKey, { typ: 'at+jwt' }) })).to.equal(
      'invalid_request',
    )
  })

  it('CIBA-14-01, CIBA-7.1-16 takes a login_hint_token of a trusted issuer', async () => {
    expect(await send({ login_hint_token: await hintToken() })).to.equal('accepted')
  })

  it('CIBA-13-03 says when it has expired', async () => {
    expect(await send({ login_hint_token: await hintToken({ exp: now() - 10 }) })).to.equal('expired_login_hint_token')
  })

  for (const [what, make] of [
    ['of another issuer', () => hintToken({ iss: 'https://evil.example' })],
    ['for another server', () => hintToken({ aud: 'https://other.example' })],
    ['with another signature', () => hintToken({}, stranger.privateKey)],
    ['without expiry', () => hintToken({ exp: undefined as never })],
    ['whose issuer is no text', () => hintToken({ iss: 5 as never })],
    ['that is none', async () => 'abc'],
  ] as [string, () => Promise<string>][]) {
    it(`refuses a login_hint_token ${what}`, async () => {
      expect(await send({ login_hint_token: await make() })).to.equal('invalid_request')
    })
  }

  it('takes a login_hint_token that names a phone number or a user id, and none that names nobody', async () => {
    const named = (changes: JWTPayload) => hintToken({ email: undefined, ...changes })
    expect(await send({ login_hint_token: await named({ phone_number: '+15550100' }) })).to.equal('accepted')
    expect(await send({ login_hint_token: await named({ sub: 'alice' }) })).to.equal('accepted')
    expect(await send({ login_hint_token: await named({}) })).to.equal('unknown_user_id')
  })

  it('refuses a login_hint_token where none are taken', async () => {
    const plain = await startHost()
    const { body } = await clientOf(plain).start({ scope: 'openid', login_hint_token: await hintToken() })
    expect(body.error).to.equal('invalid_request')
    await plain.close()
  })

  describe('with keys at a URL', () => {
    let answer: { readonly status: number; readonly body: string }
    let keyServer: Server
    let asking: Host
    before(async () => {
      keyServer = createServer((_req, res) => res.writeHead(answer.status).end(answer.body)).listen(0, '127.0.0.1')
      await once(keyServer, 'listening')
    })
    after(() => keyServer.close())
    beforeEach(async () => {
      const url = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}`
      const issuers = { 'https://partner.example': url }
      asking = await startHost({
        requests: { loginHintToken: loginHintTokens({ issuers, audience: 'https://login.example.com' }) },
      })
    })
    afterEach(() => asking.close())
    const ask = async () => clientOf(asking).start({ scope: 'openid', login_hint_token: await hintToken() })

    it('takes a login_hint_token', async () => {
      answer = { status: 200, body: JSON.stringify({ keys: [await jwk(partner.publicKey, 'p')] }) }
      expect((await ask()).status).to.equal(200)
    })

    for (const [what, given] of [
      ['that cannot be had', { status: 500, body: '' }],
      ['that are no JSON', { status: 200, body: '<html>' }],
      ['that are no keys', { status: 200, body: '{}' }],
    ] as const) {
      it(`blames no client for keys ${what}: an outage`, async () => {
        answer = given
        const { status, body } = await ask()
        expect([status, body.error]).to.deep.equal([503, 'temporarily_unavailable'])
        expect(asking.events.map(({ type }) => type)).to.include('outage')
      })
    }
  })

  it('CIBA-13-04, CIBA-7.2-05, CIBA-7.2-07 says when it names nobody', async () => {
    expect(await send({ login_hint_token: await hintToken({ email: 'nobody@example.com' }) })).to.equal(
      'unknown_user_id',
    )
  })
})
