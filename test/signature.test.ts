import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey } from 'node:crypto'
import { expect } from 'chai'
import { compactVerify, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { asymmetricAlgs, hmacAlgs, isSignedBy, type Jws, readJws } from '../lib/core/crypto/jws.ts'
import { signText } from '../lib/core/crypto/signature.ts'

/** Header and payload, as they are signed. */
const inputFor = (alg: string) =>
  `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${Buffer.from('{"sub":"é"}').toString('base64url')}`

/** A JWS of these parts. The algorithm is the one of its header, unless it is said here. */
function jwsOf(input: string, signature: Buffer, alg?: string): Jws {
  const jws = readJws(`${input}.${signature.toString('base64url')}`)
  if (jws === undefined) throw new Error('this is no JWS')
  return alg === undefined ? jws : { ...jws, alg }
}

async function keysFor(alg: string) {
  if (alg.startsWith('HS')) {
    const secret = createSecretKey(Buffer.alloc(64, alg))
    return { privateKey: secret, publicKey: secret, jose: secret }
  }
  const pair = await generateKeyPair(alg, { extractable: true })
  const jwk = (await exportJWK(pair.privateKey)) as JsonWebKey
  return {
    privateKey: createPrivateKey({ key: jwk, format: 'jwk' }),
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
    jose: pair.privateKey,
  }
}

describe('signatures', function () {
  this.timeout(30_000)

  for (const alg of asymmetricAlgs) {
    it(`${alg}: jose verifies what we sign`, async () => {
      const { privateKey, publicKey } = await keysFor(alg)
      const input = inputFor(alg)
      await compactVerify(`${input}.${await signText(input, privateKey, alg)}`, publicKey)
    })
  }

  for (const alg of [...asymmetricAlgs, ...hmacAlgs]) {
    it(`${alg}: we verify what jose signs, and nothing that was changed`, async () => {
      const { publicKey, jose } = await keysFor(alg)
      const jwt = await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg }).sign(jose)
      const changed = await new SignJWT({ sub: 'mallory' }).setProtectedHeader({ alg }).sign(jose)
      const [input, signature] = partsOf(jwt)
      expect(await isSignedBy(jwsOf(input, signature), [publicKey])).to.equal(true)
      expect(await isSignedBy(jwsOf(partsOf(changed)[0], signature), [publicKey])).to.equal(false)
      for (const wrong of [
        Buffer.alloc(0),
        signature.subarray(1),
        Buffer.concat([signature, Buffer.alloc(1)]),
        Buffer.alloc(signature.length),
      ]) {
        expect(await isSignedBy(jwsOf(input, wrong), [publicKey])).to.equal(false)
      }
    })
  }

  it('are verified by any of several keys, and by none of no keys', async () => {
    const [mine, other] = [await keysFor('ES256'), await keysFor('ES256')]
    const jws = jwsOf(...partsOf(await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(mine.jose)))
    const unfit = await keysFor('PS256')
    expect(await isSignedBy(jws, [unfit.publicKey, other.publicKey, mine.publicKey])).to.equal(true)
    expect(await isSignedBy(jws, [unfit.publicKey, other.publicKey])).to.equal(false)
    expect(await isSignedBy(jws, [])).to.equal(false)
  })

  it('verifies nothing by an algorithm that is none of these', async () => {
    const { publicKey, jose } = await keysFor('ES256')
    const [input, signature] = partsOf(await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(jose))
    for (const alg of ['none', 'ES256K', 'RSA1_5', '', 'constructor', '__proto__']) {
      expect(await isSignedBy(jwsOf(input, signature, alg), [publicKey]), alg).to.equal(false)
      expect(await isSignedBy(jwsOf(inputFor(alg), signature), [publicKey]), alg).to.equal(false)
    }
  })

  it('takes no RSA signature that lost a leading zero', async () => {
    const { privateKey, publicKey } = await keysFor('PS256')
    const text = inputFor('PS256')
    const signatures = await Promise.all(
      Array.from({ length: 2_000 }, async () => Buffer.from(await signText(text, privateKey, 'PS256'), 'base64url')),
    )
    const zero = signatures.find((each) => each[0] === 0) ?? Buffer.alloc(0)
    expect(await isSignedBy(jwsOf(text, zero), [publicKey])).to.equal(true)
    expect(await isSignedBy(jwsOf(text, zero.subarray(1)), [publicKey])).to.equal(false)
  })

  it('threat 22: only the algorithm that a key is for verifies with it', async () => {
    const all = [...asymmetricAlgs, ...hmacAlgs]
    const keys = new Map(await Promise.all(all.map(async (alg) => [alg as string, await keysFor(alg)] as const)))
    for (const [alg, { privateKey, publicKey }] of keys) {
      for (const other of [...all, 'none', 'noNE', 'es256']) {
        const input = inputFor(other)
        const signature = alg.startsWith('HS')
          ? Buffer.alloc(32)
          : Buffer.from(await signText(input, privateKey, alg), 'base64url')
        const sameEd = alg.startsWith('Ed') && other.startsWith('Ed')
        const wanted = !alg.startsWith('HS') && (other === alg || sameEd)
        expect(await isSignedBy(jwsOf(input, signature), [publicKey]), `${alg} as ${other}`).to.equal(wanted)
        // whatever somebody before has read from the header
        expect(await isSignedBy(jwsOf(inputFor('none'), signature, other), [publicKey])).to.equal(false)
      }
    }
  })

  it('never signs with a key of another type', async () => {
    const { privateKey } = await keysFor('ES256')
    for (const alg of ['RS256', 'ES384', 'Ed25519', 'HS256', 'none'])
      expect(() => signText(inputFor(alg), privateKey, alg)).to.throw(TypeError)
  })
})

function partsOf(jwt: string): [input: string, signature: Buffer] {
  const dot = jwt.lastIndexOf('.')
  return [jwt.slice(0, dot), Buffer.from(jwt.slice(dot + 1), 'base64url')]
}
