import { expect } from 'chai'
import { type ClientMetadata, createBackchannel } from 'express-ciba'
import { decodeJwt } from 'jose'
import { contextOf } from '../../lib/backchannel.ts'
import { subjectFor } from '../../lib/protocol/authorization/subject.ts'
import {
  assertionClaims,
  authentication,
  callAsserting,
  clientWith,
  nowSeconds,
  outcome,
  sign,
} from '../helpers/authentication.ts'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, privateJwk, startIssuing } from '../helpers/tokens.ts'

describe('what a client is registered for', () => {
  let issuing: Issuing
  const start = async (till: Partial<ClientMetadata> = {}, options: HostOptions = {}) => {
    issuing = await startIssuing(till, options)
  }
  afterEach(() => issuing.host.close())

  it('CIBA-4-15 user codes mean something only where the server takes them', async () => {
    await start({ backchannel_user_code_parameter: true })
    expect((await issuing.client.start()).status).to.equal(200)
  })

  it('R8705-3.4-01 certificate-bound tokens are not handed out without a certificate', async () => {
    await start({ tls_client_certificate_bound_access_tokens: true })
    const { status, body } = await issuing.client.poll(await issuing.approved())
    expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
  })

  it('CIBA-10.3.1-07 the three claims of a push are absent where tokens are collected', async () => {
    await start()
    const { id_token } = await issuing.tokens()
    const names = Object.keys(decodeJwt(id_token))
    expect(names.filter((name) => name.startsWith('urn:openid:params:jwt:claim:'))).to.deep.equal([])
  })

  it('OIDC-2-03 a pairwise name has no more than 255 characters; a subject too long for that is found out at once', async () => {
    let sub = 'x'.repeat(160)
    const pairwise: Partial<ClientMetadata> = {
      subject_type: 'pairwise',
      sector_identifier_uri: 'https://till.example/sector.json',
      backchannel_token_delivery_mode: 'push',
      backchannel_client_notification_endpoint: 'https://till.example/ciba',
    }
    await start(pairwise, {
      secret: 's'.repeat(32),
      delivery: { modes: ['push'] },
      users: { find: () => ({ sub, phone_number: '+1' }) },
    })
    const metadata = { client_id: 'till', ...pairwise }
    expect(subjectFor(contextOf(issuing.host.router.backchannel), metadata, sub)).to.match(/^[\x21-\x7E]{161,255}$/)
    sub += 'x'
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: 'n'.repeat(22) }
    expect((await issuing.client.start(form)).status).to.equal(500)
    expect(issuing.host.notices).to.deep.equal([])
  })
})

describe('the server itself', () => {
  const options = {
    issuer: 'https://login.example.com',
    clients: { find: () => undefined },
    users: { find: () => undefined },
    logger: { info() {}, warn() {}, error() {} },
  }

  it('FCIBA-4.1.1-04, FCIBA-4.1.1-05, FAPI2-5.3.2.1-01 polls and pings under the profiles, and says so', () => {
    for (const profile of ['fapi-ciba', 'fapi2-ciba'] as const) {
      const metadata = createBackchannel({ ...options, profile }).metadata()
      expect(metadata.backchannel_token_delivery_modes_supported).to.deep.equal(['poll', 'ping'])
      expect(metadata.grant_types_supported).not.to.include('password')
      expect(metadata.token_endpoint_auth_methods_supported).not.to.include.oneOf(['none', 'client_secret_basic'])
    }
  })

  it('FCIBA-4.1.1-12 takes unsigned requests too under FAPI 2, where the host says so', () => {
    expect(() =>
      createBackchannel({ ...options, profile: 'fapi2-ciba', requests: { requireSigned: false } }),
    ).not.to.throw()
    expect(() => createBackchannel({ ...options, profile: 'fapi-ciba', requests: { requireSigned: false } })).to.throw(
      /option "requests.requireSigned" contradicts/,
    )
  })

  it('FAPI2-5.4.1-02 signs with no weak key', () => {
    const { n: _, ...rest } = privateJwk('rsa', { alg: 'PS256' })
    const weak = { ...rest, n: Buffer.alloc(128, 1).toString('base64url') }
    expect(() => createBackchannel({ ...options, keys: { keys: [weak] } })).to.throw(/less than 2048 bits/)
  })
})

describe('FAPI 2: clocks', () => {
  it('FAPI2-5.3.2.1-07 takes JWTs from clocks 10 s ahead, and none from more than a minute ahead', async () => {
    const { authenticate } = authentication(await clientWith('ES256'))
    const ahead = async (seconds: number) => {
      const at = nowSeconds() + seconds
      return outcome(authenticate(callAsserting(await sign(assertionClaims({ iat: at, nbf: at })))))
    }
    expect(await ahead(10)).to.equal('till')
    expect(await ahead(70)).to.equal('401 invalid_client')
  })
})
