import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey } from 'node:crypto'
import { expect } from 'chai'
import { compactVerify, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { asymmetricAlgs, hmacAlgs } from '../lib/core/crypto/jws.ts'
import { isSignatureOf, isSignatureOfNow, signText } from '../lib/core/crypto/signature.ts'

const text = `${Buffer.from('{"alg":"x"}').toString('base64url')}.${Buffer.from('{"sub":"é"}').toString('base64url')}`

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

/** Both ways say the same. */
async function verifies(...given: Parameters<typeof isSignatureOf>): Promise<boolean> {
  const now = isSignatureOfNow(...given)
  expect(await isSignatureOf(...given)).to.equal(now)
  return now
}

describe('signatures', function () {
  this.timeout(30_000)

  for (const alg of asymmetricAlgs) {
    it(`${alg}: jose verifies what we sign`, async () => {
      const { privateKey, publicKey } = await keysFor(alg)
      const head = Buffer.from(JSON.stringify({ alg })).toString('base64url')
      const input = `${head}.${Buffer.from('{}').toString('base64url')}`
      await compactVerify(`${input}.${await signText(input, privateKey, alg)}`, publicKey)
    })
  }

  for (const alg of [...asymmetricAlgs, ...hmacAlgs]) {
    it(`${alg}: we verify what jose signs, and nothing that was changed`, async () => {
      const { publicKey, jose } = await keysFor(alg)
      const jwt = await new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg }).sign(jose)
      const dot = jwt.lastIndexOf('.')
      const [input, signature] = [jwt.slice(0, dot), Buffer.from(jwt.slice(dot + 1), 'base64url')]
      expect(await verifies(input, signature, publicKey, alg)).to.equal(true)
      expect(await verifies(`${input}x`, signature, publicKey, alg)).to.equal(false)
      for (const wrong of [
        Buffer.alloc(0),
        signature.subarray(1),
        Buffer.concat([signature, Buffer.alloc(1)]),
        Buffer.alloc(signature.length),
      ]) {
        expect(await verifies(input, wrong, publicKey, alg)).to.equal(false)
      }
    })
  }

  it('verifies nothing by an algorithm that is none of these', async () => {
    const { publicKey, jose } = await keysFor('ES256')
    const jwt = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(jose)
    const [input, signature] = [jwt.slice(0, jwt.lastIndexOf('.')), Buffer.from(jwt.split('.')[2] ?? '', 'base64url')]
    for (const alg of ['none', 'ES256K', 'RSA1_5', '', 'constructor', '__proto__'])
      expect(await verifies(input, signature, publicKey, alg), alg).to.equal(false)
  })

  it('takes no RSA signature that lost a leading zero', async () => {
    const { privateKey, publicKey } = await keysFor('PS256')
    const signatures = await Promise.all(
      Array.from({ length: 2_000 }, async () => Buffer.from(await signText(text, privateKey, 'PS256'), 'base64url')),
    )
    const zero = signatures.find((each) => each[0] === 0) ?? Buffer.alloc(0)
    expect(await verifies(text, zero, publicKey, 'PS256')).to.equal(true)
    expect(await verifies(text, zero.subarray(1), publicKey, 'PS256')).to.equal(false)
  })

  it('threat 22: only the algorithm that a key is for verifies with it', async () => {
    const all = [...asymmetricAlgs, ...hmacAlgs]
    const keys = new Map(await Promise.all(all.map(async (alg) => [alg as string, await keysFor(alg)] as const)))
    for (const [alg, { privateKey, publicKey }] of keys) {
      const signature = alg.startsWith('HS')
        ? Buffer.alloc(32)
        : Buffer.from(await signText(text, privateKey, alg), 'base64url')
      for (const other of [...all, 'none', 'noNE', 'es256']) {
        const sameEd = alg.startsWith('Ed') && other.startsWith('Ed')
        const wanted = !alg.startsWith('HS') && (other === alg || sameEd)
        expect(await verifies(text, signature, publicKey, other), `${alg} as ${other}`).to.equal(wanted)
      }
    }
  })

  it('never signs with a key of another type', async () => {
    const { privateKey } = await keysFor('ES256')
    for (const alg of ['RS256', 'ES384', 'Ed25519', 'HS256', 'none'])
      expect(() => signText(text, privateKey, alg)).to.throw(TypeError)
  })
})
