import { expect } from 'chai'
import { type BackchannelError, type Call, memoryStore } from 'express-ciba'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createCheckDpop } from '../../lib/client/dpop.ts'
import { createVault } from '../../lib/secrets.ts'

const url = 'https://login.example.com/oidc/token'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const { privateKey: otherKey } = await generateKeyPair('ES256')

function set({ nonceRequired = false } = {}) {
  const clock = { now: Date.now() }
  const vault = createVault(Buffer.alloc(32, 7))
  const check = createCheckDpop({
    store: memoryStore(),
    clock: () => clock.now,
    vault,
    emit: () => {},
    nonceRequired,
    maxAgeSeconds: 60,
  })
  const call = (...dpop: string[]): Call => ({
    form: { values: new Map(), empty: new Set(), resources: [] },
    dpop,
    url,
    certificate: () => undefined,
  })
  const outcome = (...proofs: string[]) => check(call(...proofs)).catch((thrown: BackchannelError) => thrown.code)
  return { check, call, clock, outcome }
}

const proof = (claims: JWTPayload = {}, header: Record<string, unknown> = {}, key = privateKey) =>
  new SignJWT({ htm: 'POST', htu: url, jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(key)

describe('the DPoP proof', () => {
  it('proves a key, by its thumbprint', async () => {
    expect(await set().outcome(await proof())).to.equal(await calculateJwkThumbprint(jwk))
  })

  it('may be absent', async () => {
    const { check, call } = set()
    expect(await check(call())).to.equal(undefined)
  })

  it('compares the URL without query and fragment, normalized', async () => {
    for (const htu of [`${url}?a=b`, `${url}#c`, 'HTTPS://LOGIN.example.com:443/oidc/./token']) {
      expect(await set().outcome(await proof({ htu }))).not.to.equal('invalid_dpop_proof')
    }
  })

  const now = () => Math.floor(Date.now() / 1000)
  for (const [what, make] of [
    ['another URL', () => proof({ htu: 'https://login.example.com/oidc/backchannel' })],
    ['another method', () => proof({ htm: 'GET' })],
    ['an old one', () => proof({ iat: now() - 61 })],
    ['one from the future', () => proof({ iat: now() + 30 })],
    ['no iat', () => proof({ iat: undefined as never })],
    ['no jti', () => proof({ jti: undefined as never })],
    ['a jti of 257 characters', () => proof({ jti: 'x'.repeat(257) })],
    ['another type', () => proof({}, { typ: 'JWT' })],
    ['no type', () => proof({}, { typ: undefined })],
    ['no key', () => proof({}, { jwk: undefined })],
    ['a private key', async () => proof({}, { jwk: await exportJWK(privateKey) })],
    ['a symmetric key', () => proof({}, { jwk: { kty: 'oct', k: 'AAAA' } })],
    ['a signature by another key', () => proof({}, {}, otherKey)],
    ['no JWT', async () => 'abc'],
  ] as [string, () => Promise<string>][]) {
    it(`R9449-4.3-01 refuses ${what}`, async () => {
      expect(await set().outcome(await make())).to.equal('invalid_dpop_proof')
    })
  }

  it('is good once, and not in two headers', async () => {
    const { outcome } = set()
    const once = await proof()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(once)))
    expect(outcomes.filter((each) => each === 'invalid_dpop_proof')).to.have.length(19)
    expect(await outcome(await proof(), await proof())).to.equal('invalid_dpop_proof')
  })

  it('R9449-8-01 needs a nonce where one is demanded: ours, and not an old one', async () => {
    const { check, call, clock, outcome } = set({ nonceRequired: true })
    const demand = (await check(call(await proof())).catch((thrown) => thrown)) as BackchannelError
    expect([demand.code, demand.status]).to.deep.equal(['use_dpop_nonce', 400])
    const nonce = demand.headers['DPoP-Nonce']
    expect(await outcome(await proof({ nonce }))).to.equal(await calculateJwkThumbprint(jwk))
    expect(await outcome(await proof({ nonce: 'forged' }))).to.equal('use_dpop_nonce')
    clock.now += 121_000
    expect(await outcome(await proof({ nonce, iat: Math.floor(clock.now / 1000) }))).to.equal('use_dpop_nonce')
  })
})
