import { expect } from 'chai'
import type { ApproveInput, ClientMetadata, Jwk, Users } from 'express-ciba'
import {
  compactDecrypt,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  jwtVerify,
} from 'jose'
import { contextOf } from '../../lib/backchannel.ts'
import { createSigningKeys } from '../../lib/core/crypto/signingKeys.ts'
import { subjectFor } from '../../lib/protocol/authorization/subject.ts'
import { leftHalfHash } from '../../lib/protocol/token/idToken.ts'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, privateJwk, publicJwk, startIssuing } from '../helpers/tokens.ts'

const rsa = privateJwk('rsa')
const keys = {
  keys: [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => ({ ...rsa, alg, kid: alg })),
    privateJwk('P-256', { kid: 'p256' }),
    privateJwk('P-384', { kid: 'p384' }),
    privateJwk('P-521', { kid: 'p521' }),
    privateJwk('ed25519', { kid: 'ed' }),
  ],
}
const secret = 'a secret of at least 32 characters, kept'

describe('OpenID Connect Core: ID tokens', () => {
  let issuing: Issuing
  const start = async (till: Partial<ClientMetadata> = {}, options: HostOptions = {}) => {
    issuing = await startIssuing(till, options)
  }
  afterEach(() => issuing.host.close())
  const idToken = async (form: Record<string, string> = {}, approval: Partial<ApproveInput> = {}) => {
    const { auth_req_id } = (await issuing.client.start({ scope: 'openid', login_hint: 'alice', ...form })).body
    await issuing.host.router.backchannel.approve({ request: auth_req_id, by: { sub: 'alice' }, ...approval })
    return decodeJwt((await issuing.client.poll(auth_req_id)).body.id_token)
  }
  const refusal = async (form: Record<string, string> = {}) => {
    const { status, body } = await issuing.client.start({ scope: 'openid', login_hint: 'alice', ...form })
    return `${status} ${body.error ?? 'accepted'}`
  }

  it('OIDC-2-01, OIDC-2-04, OIDC-2-06 has iss, sub, aud as text, exp, iat, and neither azp nor nonce', async () => {
    await start()
    const claims = await idToken({ nonce: 'n-0S6_WzA2Mj' })
    expect(claims).to.include({ iss: issuing.host.origin, sub: 'alice', aud: 'till' })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).to.equal(3600)
    expect(claims).not.to.have.any.keys('azp', 'nonce')
  })

  it('OIDC-2-02, R8414-3.3-01 has the issuer of the discovery document', async () => {
    await start()
    const answer = await fetch(`${issuing.host.origin}/.well-known/openid-configuration`)
    const discovery = (await answer.json()) as { issuer: string }
    expect((await idToken()).iss).to.equal(discovery.issuer)
  })

  it('OIDC-2-05 has auth_time as it was at the login, however late the tokens are collected', async () => {
    await start()
    const authReqId = await issuing.approved({}, { authTime: 1_700_000_000 })
    issuing.host.pass(300)
    expect(decodeJwt((await issuing.client.poll(authReqId)).body.id_token).auth_time).to.equal(1_700_000_000)
  })

  for (const alg of [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ]) {
    it(`OIDC-2-08, OIDC-2-09, OIDC-3.1.3.6-01 is signed with ${alg}, names its key, and its at_hash fits`, async () => {
      await start({ id_token_signed_response_alg: alg as 'RS256' }, { keys })
      const { id_token, access_token } = await issuing.tokens()
      const set = createLocalJWKSet(issuing.host.router.backchannel.jwks() as unknown as JSONWebKeySet)
      const { protectedHeader, payload } = await jwtVerify(id_token, set, { audience: 'till', algorithms: [alg] })
      expect(protectedHeader).to.have.all.keys('alg', 'kid', 'typ')
      expect(protectedHeader).to.include({ alg, typ: 'JWT' })
      expect(payload.at_hash).to.equal(leftHalfHash(access_token, alg))
    })
  }

  it('OIDC-2-08 is signed with RS256 where nothing is registered and there is such a key', async () => {
    await start({}, { keys: { keys: [...keys.keys].reverse() } })
    expect(decodeProtectedHeader((await issuing.tokens()).id_token).alg).to.equal('RS256')
  })

  it('OIDC-2-08 a client whose algorithm has no key is refused before anybody is asked', async () => {
    await start({ id_token_signed_response_alg: 'ES512' })
    expect(await refusal()).to.equal('400 unauthorized_client')
    expect(issuing.host.notices).to.have.length(0)
    const event = issuing.host.events.find(({ type }) => type === 'request.refused') as { cause?: Error } | undefined
    expect(String(event?.cause?.cause)).to.include('client "till": the option "keys" has no key for ES512')
  })

  it('OIDC-10.1.1-01 publishes retired keys, and signs with none of them', async () => {
    const retired = publicJwk(privateJwk('rsa', { kid: 'old', alg: 'RS256' }))
    await start({}, { keys: { keys: [privateJwk('P-256', { kid: 'new' }), retired] } })
    const { jwks } = issuing.host.router.backchannel
    expect(jwks().keys.map(({ kid }) => kid)).to.deep.equal(['new', 'old'])
    expect(jwks().keys.some((key) => 'd' in key)).to.equal(false)
    expect(decodeProtectedHeader((await issuing.tokens()).id_token).kid).to.equal('new')
  })

  it('FAPI2-5.4.1-01 an RSA key that names no algorithm signs with PS256 where the profile demands it', async () => {
    await start()
    expect(createSigningKeys({ keys: [rsa] }, ['PS256', 'ES256']).algs).to.deep.equal(['PS256'])
    expect(createSigningKeys({ keys: [rsa] }).algs).to.deep.equal(['RS256'])
    expect(() => createSigningKeys({ keys: [{ ...rsa, alg: 'RS256' }] }, ['PS256'])).to.throw(
      'no private key for PS256',
    )
  })

  describe('claims', () => {
    const record = { name: 'Alice', email: 'alice@example.com', phone_number: '+1', department: 'loans', password: 'x' }
    const users: HostOptions['users'] = {
      find: () => ({ sub: 'alice', ...record }),
      claims: () => ({ ...record, iss: 'evil' }),
    }

    it('OIDC-5.4-01 has those that the granted scope asks for, and nothing else of the record', async () => {
      await start({}, { users })
      const claims = await idToken({ scope: 'openid email profile' }, { scope: ['openid', 'email'] })
      expect(claims).to.include({ email: 'alice@example.com', iss: issuing.host.origin })
      expect(claims).not.to.have.any.keys('name', 'phone_number', 'department', 'password')
    })

    it('has those that a scope value of the host asks for', async () => {
      await start(
        {},
        { users, requests: { scopes: ['openid', 'staff'] }, tokens: { scopeClaims: { staff: ['department'] } } },
      )
      expect(await idToken({ scope: 'openid staff' })).to.include({ department: 'loans' })
    })

    it('has only those that the user agreed to give', async () => {
      await start({}, { users })
      const claims = await idToken(
        { scope: 'openid email profile' },
        { tokens: { consentedClaims: ['name', 'password'] } },
      )
      expect(claims).to.include({ name: 'Alice' }).and.not.have.any.keys('email', 'password')
    })

    it('is told which names are wanted, and is not asked when none are', async () => {
      const asked: unknown[] = []
      const claims: Users['claims'] = (query) => {
        asked.push(query)
        return {}
      }
      await start({}, { users: { find: () => ({ sub: 'alice', phone_number: '+1' }), claims } })
      await issuing.tokens()
      await issuing.tokens({ scope: 'openid email' })
      expect(asked).to.deep.equal([{ sub: 'alice', scope: ['openid', 'email'], names: ['email', 'email_verified'] }])
    })
  })

  describe('OIDC-8.1-01, CIBA-4-17, CIBA-4-18: pairwise subjects', () => {
    const pairwise = {
      subject_type: 'pairwise',
      token_endpoint_auth_method: 'client_secret_basic',
      backchannel_authentication_request_signing_alg: 'ES256',
      jwks_uri: 'https://till.example/jwks',
    } as const

    it('are the same for a sector each time, and another for each sector', async () => {
      const sectors = [
        { jwks_uri: 'https://till.example/jwks' },
        { jwks_uri: 'https://TILL.example:8443/other' },
        { sector_identifier_uri: 'https://till.example/sector.json', jwks_uri: 'https://else.example/jwks' },
        { jwks_uri: 'https://else.example/jwks' },
      ]
      const subs: unknown[] = []
      for (const sector of sectors) {
        issuing = await startIssuing({ ...pairwise, ...sector }, { secret })
        const { id_token, access_token } = await issuing.tokens()
        expect(decodeJwt(access_token).sub).to.equal(decodeJwt(id_token).sub)
        subs.push(decodeJwt(id_token).sub)
        await issuing.host.close()
      }
      const [first, ...others] = subs
      expect(others.map((sub) => sub === first)).to.deep.equal([true, true, false])
      expect(first).to.match(/^[\w-]{43}$/)
      expect(Buffer.from(String(first), 'base64url').toString('latin1')).not.to.include('alice')
    })

    it('of push clients go by the notification endpoint', async () => {
      await start({}, { secret })
      const nameFor = (client: ClientMetadata, sub: string) =>
        subjectFor(contextOf(issuing.host.router.backchannel), client, sub)
      const push = {
        ...pairwise,
        client_id: 'p',
        backchannel_token_delivery_mode: 'push',
        backchannel_client_notification_endpoint: 'https://hooks.example/cb',
      } as const
      expect(nameFor(push, 'alice')).to.equal(nameFor({ ...push, jwks_uri: 'https://other.example/jwks' }, 'alice'))
      expect(nameFor(push, 'alice')).not.to.equal(
        nameFor({ ...push, backchannel_token_delivery_mode: 'poll' }, 'alice'),
      )
    })

    it('need a secret that outlives the keys', async () => {
      await start(pairwise)
      expect(await refusal()).to.equal('400 unauthorized_client')
    })

    it('are understood as id_token_hint by the sector they were made for', async () => {
      await start(pairwise, { secret, users: { find: ({ hint: { value } }) => ({ sub: value, phone_number: '+1' }) } })
      const { id_token } = await issuing.tokens()
      const { body } = await issuing.client.start({ scope: 'openid', id_token_hint: id_token })
      expect(await issuing.host.router.backchannel.find(body.auth_req_id)).to.include({ sub: 'alice' })
    })

    it('are offered where they can be kept', async () => {
      await start({}, { secret })
      expect(issuing.host.router.backchannel.metadata().subject_types_supported).to.deep.equal(['public', 'pairwise'])
    })
  })

  describe('OIDC-2-10: encryption', () => {
    for (const [alg, enc, key] of [
      ['RSA-OAEP-256', 'A256GCM', privateJwk('rsa', { use: 'enc', kid: 'e1' })],
      ['RSA-OAEP', undefined, privateJwk('rsa')],
      ['ECDH-ES', 'A128GCM', privateJwk('P-256', { use: 'enc' })],
      ['ECDH-ES+A256KW', 'A256CBC-HS512', privateJwk('P-521', { alg: 'ECDH-ES+A256KW' })],
    ] as [string, string | undefined, Jwk][]) {
      it(`signs, then encrypts with ${alg} and ${enc ?? 'the default enc'}`, async () => {
        await start({
          id_token_encrypted_response_alg: alg,
          ...(enc === undefined ? {} : { id_token_encrypted_response_enc: enc }),
          jwks: { keys: [publicJwk(privateJwk('rsa', { use: 'sig' })), publicJwk(key)] },
        })
        const { id_token } = await issuing.tokens()
        const { plaintext, protectedHeader } = await compactDecrypt(id_token, await importJWK(key as JWK, alg))
        expect(protectedHeader).to.include({ alg, enc: enc ?? 'A128CBC-HS256', cty: 'JWT' })
        const set = createLocalJWKSet(issuing.host.router.backchannel.jwks() as unknown as JSONWebKeySet)
        const { payload } = await jwtVerify(Buffer.from(plaintext).toString(), set, { audience: 'till' })
        expect(payload.sub).to.equal('alice')
      })
    }

    const jwks = { keys: [publicJwk(privateJwk('rsa'))] }
    for (const [what, till] of [
      ['RSA1_5', { id_token_encrypted_response_alg: 'RSA1_5', jwks }],
      ['dir', { id_token_encrypted_response_alg: 'dir', jwks }],
      ['A128KW', { id_token_encrypted_response_alg: 'A128KW', jwks }],
      [
        'an enc that is none',
        { id_token_encrypted_response_alg: 'RSA-OAEP', id_token_encrypted_response_enc: 'A1', jwks },
      ],
      ['an enc without an alg', { id_token_encrypted_response_enc: 'A128GCM', jwks }],
      ['no key that fits', { id_token_encrypted_response_alg: 'ECDH-ES', jwks }],
    ] as const) {
      it(`FCIBA-5.10-01 refuses ${what} before anybody is asked`, async () => {
        await start(till)
        expect(await refusal()).to.equal('400 unauthorized_client')
      })
    }
  })
})
