import { expect } from 'chai'
import type { BackchannelError } from 'express-ciba'
import fc from 'fast-check'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { hashOf } from '../../lib/core/crypto/handles.ts'
import { asymmetricAlgs } from '../../lib/core/crypto/jws.ts'
import { signText } from '../../lib/core/crypto/signature.ts'
import type { Call } from '../../lib/core/http/call.ts'
import { checkDpop, type Protected } from '../../lib/protocol/client/dpop.ts'
import { contextFor } from '../helpers/context.ts'
import { keyPair } from '../helpers/keys.ts'

const url = 'https://login.example.com/oidc/token'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const jwk = await exportJWK(publicKey)
const { privateKey: otherKey } = await generateKeyPair('ES256')

function set({ nonceRequired = false, algs = asymmetricAlgs as readonly string[] } = {}) {
  const clock = { now: Date.now() }
  const context = contextFor({ clock: () => clock.now, clientAuth: { dpopNonce: nonceRequired } })
  const ctx = { ...context, rules: { ...context.rules, algs } }
  const check = (each: Call, what?: Protected) => checkDpop(ctx, each, what)
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

const rsaJwk = await exportJWK((await generateKeyPair('RS256')).publicKey)
/** A proof with a header that no library would sign. */
function proofOf(header: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { htm: 'POST', htu: url, jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1000) }
  return `${part(header)}.${part(claims)}.${header.alg === 'none' ? '' : part('mac')}`
}

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
    ['part of a private key', () => proof({}, { jwk: { ...jwk, p: 'AAAA' } })],
    ['a key that cannot be read', () => proof({}, { jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' } })],
    ['a key that is no object', () => proof({}, { jwk: 'https://evil.example/key' })],
    ['a key of another type than the algorithm', () => proof({}, { jwk: rsaJwk })],
    ['a MAC', async () => proofOf({ alg: 'HS256', typ: 'dpop+jwt', jwk })],
    ['no signature', async () => proofOf({ alg: 'none', typ: 'dpop+jwt', jwk })],
    ['a critical extension', () => proof({}, { crit: ['b64'], b64: true })],
    ['two proofs in one header', async () => `${await proof()}, ${await proof()}`],
    ['9 KB', () => proof({ pad: 'x'.repeat(9_000) })],
    ['a URL that is none', () => proof({ htu: 'token' })],
    ['iat in words', () => proof({ iat: 'now' as never })],
    ['a symmetric key', () => proof({}, { jwk: { kty: 'oct', k: 'AAAA' } })],
    ['a signature by another key', () => proof({}, {}, otherKey)],
    ['no JWT', async () => 'abc'],
  ] as [string, () => Promise<string>][]) {
    it(`threat 33 R9449-4.3-01 refuses ${what}`, async () => {
      expect(await set().outcome(await make())).to.equal('invalid_dpop_proof')
    })
  }

  it('refuses an RSA key of less than 2048 bits, whose signature is right', async () => {
    for (const [bits, code] of [
      [1024, 'invalid_dpop_proof'],
      [2048, undefined],
    ] as const) {
      const pair = keyPair('rsa', bits)
      const unsigned = proofOf({ alg: 'RS256', typ: 'dpop+jwt', jwk: pair.publicKey.export({ format: 'jwk' }) })
      const text = unsigned.slice(0, unsigned.lastIndexOf('.'))
      const outcome = await set().outcome(`${text}.${await signText(text, pair.privateKey, 'RS256')}`)
      expect(outcome === 'invalid_dpop_proof' ? outcome : undefined).to.equal(code)
    }
  })

  for (const alg of asymmetricAlgs) {
    it(`takes ${alg}, and not where it is not on offer`, async () => {
      const pair = await generateKeyPair(alg, { extractable: true })
      const key = await exportJWK(pair.publicKey)
      const make = () => proof({}, { alg, jwk: key }, pair.privateKey)
      expect(await set().outcome(await make())).to.equal(await calculateJwkThumbprint(key))
      const algs = asymmetricAlgs.filter((each) => each !== alg)
      expect(await set({ algs }).outcome(await make())).to.equal('invalid_dpop_proof')
    }).timeout(20_000)
  }

  it('R9449-11.1-01 is good at the edges of its window, and once in all of it', async () => {
    const { check, call, clock } = set()
    clock.now = Math.floor(clock.now / 1000) * 1000
    const early = await proof({ iat: clock.now / 1000 + 10 })
    const code = (text: string) =>
      check(call(text)).then(
        () => 'taken',
        (thrown: BackchannelError) => thrown.message,
      )
    expect(await code(early)).to.equal('taken')
    clock.now += 70_000
    expect(await code(early)).to.equal('The proof was used before')
    expect(await code(await proof({ iat: clock.now / 1000 - 60 }))).to.equal('taken')
  })

  it('R9449-7-01 is for one method, and for one access token where there is one', async () => {
    const ath = hashOf('the token')
    const get = { method: 'GET', accessToken: 'the token' }
    const { check, call } = set()
    expect(await check(call(await proof({ htm: 'GET', ath })), get)).to.equal(await calculateJwkThumbprint(jwk))
    for (const claims of [{ htm: 'GET' }, { htm: 'GET', ath: hashOf('another') }, { htm: 'POST', ath }]) {
      const thrown = await check(call(await proof(claims)), get).catch((error: BackchannelError) => error)
      expect(thrown).to.include({ code: 'invalid_dpop_proof' })
    }
  })

  it('answers any header with a refusal, never a fault', async () => {
    const part = fc.oneof(
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.string(),
    )
    const { outcome } = set()
    await fc.assert(
      fc.asyncProperty(fc.tuple(part, part, part), async (parts) => {
        expect(await outcome(parts.join('.'))).to.equal('invalid_dpop_proof')
      }),
    )
    const header = fc.record({
      alg: fc.constantFrom('ES256', 'RS256', 'Ed25519'),
      typ: fc.constant('dpop+jwt'),
      jwk: fc.jsonValue(),
    })
    await fc.assert(
      fc.asyncProperty(header, async (given) => {
        expect(await outcome(proofOf(given))).to.equal('invalid_dpop_proof')
      }),
    )
  })

  it('is good once, and not in two headers', async () => {
    const { outcome } = set()
    const once = await proof()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(once)))
    expect(outcomes.filter((each) => each === 'invalid_dpop_proof')).to.have.length(19)
    expect(await outcome(await proof(), await proof())).to.equal('invalid_dpop_proof')
  })

  it('R9449-8-01, FAPI2-5.3.2.1-06 needs a nonce where one is demanded: ours, and not an old one', async () => {
    const { check, call, clock, outcome } = set({ nonceRequired: true })
    const demand = (await check(call(await proof())).catch((thrown) => thrown)) as BackchannelError
    expect([demand.code, demand.status]).to.deep.equal(['use_dpop_nonce', 400])
    const nonce = demand.headers['DPoP-Nonce']
    expect(await outcome(await proof({ nonce }))).to.equal(await calculateJwkThumbprint(jwk))
    expect(await outcome(await proof({ nonce: 'forged' }))).to.equal('use_dpop_nonce')
    clock.now += 60_000
    expect(await outcome(await proof({ nonce, iat: Math.floor(clock.now / 1000) }))).to.have.length(43)
    clock.now += 61_000
    expect(await outcome(await proof({ nonce, iat: Math.floor(clock.now / 1000) }))).to.equal('use_dpop_nonce')
  })
})
