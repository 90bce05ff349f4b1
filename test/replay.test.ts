import { expect } from 'chai'
import { type BackchannelStore, type ClientMetadata, memoryStore } from 'express-ciba'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { once, type ReplayKind, wasSeen } from '../lib/core/replay.ts'
import { clientOf } from './helpers/client.ts'
import { makeDpopKey } from './helpers/dpop.ts'
import { type Host, startHost } from './helpers/host.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256')
const signer = {
  client_id: 'till',
  token_endpoint_auth_method: 'private_key_jwt',
  backchannel_token_delivery_mode: 'poll',
  backchannel_authentication_request_signing_alg: 'ES256',
  jwks: { keys: [(await exportJWK(publicKey)) as { kty: string }] },
} satisfies ClientMetadata

/** Has a fraction of a millisecond, as the times of several languages do. */
const now = () => Math.floor(Date.now() / 1000) + 0.123_456_7

describe('threats 20, 50: what is good once is remembered for longer than it is good', () => {
  let host: Host
  let until: number | undefined
  before(async () => {
    const store = memoryStore()
    const firstSeen: BackchannelStore['firstSeen'] = (key, end) => {
      until = end
      return store.firstSeen(key, end)
    }
    host = await startHost({ store: { ...store, firstSeen }, clients: { find: () => signer } })
  })
  after(() => host.close())

  const jwt = (claims: JWTPayload) =>
    new SignJWT({ iss: 'till', aud: host.origin, jti: crypto.randomUUID(), exp: now() + 100, ...claims })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(privateKey)
  const ask = async (form: Record<string, string>, claims: JWTPayload = {}, headers: Record<string, string> = {}) => {
    const credentials = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await jwt({ sub: 'till', ...claims }),
    }
    return (await clientOf(host).start({ ...form, ...credentials }, headers)).status
  }
  const plain = { scope: 'openid', login_hint: 'alice' }
  /** A whole millisecond, a minute after the end. */
  const expectMargin = (end: number) => {
    expect(until).to.satisfy(Number.isSafeInteger)
    expect(until).to.be.at.least(end * 1000 + 60_000)
  }

  it('client assertions', async () => {
    const exp = now() + 50
    // an unknown user: nothing but the assertion is remembered
    expect(await ask({ ...plain, login_hint: 'nobody' }, { exp })).to.equal(400)
    expectMargin(exp)
  })

  it('signed requests', async () => {
    const exp = now() + 200
    expect(await ask({ request: await jwt({ ...plain, nbf: now() - 1, iat: now() - 1, exp }) })).to.equal(200)
    expectMargin(exp)
  })

  it('DPoP proofs', async () => {
    const iat = now() - 10
    const proof = await (await makeDpopKey()).proof(`${host.origin}/oidc/backchannel`, { iat })
    expect(await ask(plain, {}, proof)).to.equal(200)
    expectMargin(iat + 60)
  })
})

describe('what is good once survives an update from 0.1', () => {
  const keys = {
    assertion: 'assertion:id',
    request: 'request:id',
    dpop: 'dpop:id',
    resend: 'resend id',
    bounce: 'bounced id',
    revoked: 'revoked id',
  } satisfies Record<Exclude<ReplayKind, 'repeat'>, string>

  for (const [kind, key] of Object.entries(keys) as [ReplayKind, string][]) {
    it(`${kind}: under the key that stores have it under`, async () => {
      const store = memoryStore()
      expect(await store.firstSeen(key, Date.now() + 60_000)).to.equal(true)
      expect(await wasSeen({ store }, kind, 'id')).to.equal(true)
      expect(await once({ store }, kind, 'id', Date.now() + 60_000)).to.equal(false)
      expect(await wasSeen({ store }, kind, 'other')).to.equal(false)
    })
  }
})
