import { expect } from 'chai'
import { exportJWK, generateKeyPair } from 'jose'
import type { Client } from '../../lib/core/client.ts'
import { createClientKeys } from '../../lib/protocol/client/jwks.ts'
import {
  assertionClaims,
  authentication,
  callAsserting,
  clientWith,
  jwksFor,
  nowSeconds,
  outcome,
  publicJwk,
  sign,
} from '../helpers/authentication.ts'

describe("a client's keys", () => {
  it('fetches jwks_uri once for many callers, and once a minute for a kid it does not know', async () => {
    const { till } = await clientWith('ES256')
    const { authenticate, fetched, clock } = authentication(
      { till: { ...till, jwks: undefined, jwks_uri: 'https://till.example/jwks' } },
      { fetchJson: async () => till.jwks },
    )
    const jwts = await Promise.all(Array.from({ length: 10 }, () => sign(assertionClaims())))
    expect(await Promise.all(jwts.map((jwt) => outcome(authenticate(callAsserting(jwt)))))).to.deep.equal(
      Array(10).fill('till'),
    )
    expect(fetched).to.have.length(1)
    clock.now += 61_000
    for (let n = 0; n < 100; n++)
      await outcome(
        authenticate(
          callAsserting(await sign(assertionClaims({ exp: nowSeconds() + 200 }), 'ES256', { kid: 'unknown' })),
        ),
      )
    expect(fetched).to.have.length(2)
  })

  const remote = async (fetchJson: () => Promise<unknown>) =>
    authentication(await clientWith('ES256', { jwks: undefined, jwks_uri: 'https://till.example/jwks' }), { fetchJson })
  const down = async () => {
    throw new Error('connection refused')
  }

  it('reads an outage of jwks_uri as an outage, not as a wrong client or a fault of ours', async () => {
    const { authenticate } = await remote(down)
    expect(await outcome(authenticate(callAsserting(await sign(assertionClaims()))))).to.equal(
      '503 temporarily_unavailable',
    )
  })

  for (const [what, answer] of [
    ['no object', null],
    ['an error page', { error: 'gone' }],
    ['keys that are no list', { keys: {} }],
  ] as const) {
    it(`reads ${what} at jwks_uri as an outage`, async () => {
      const { authenticate } = await remote(async () => answer)
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims()))))).to.equal(
        '503 temporarily_unavailable',
      )
    })
  }

  it('threat 55 leaves a jwks_uri that is down alone for ten seconds', async () => {
    const { authenticate, fetched, clock } = await remote(down)
    const call = callAsserting(await sign(assertionClaims()))
    for (let n = 0; n < 100; n++) await outcome(authenticate(call))
    expect(fetched).to.have.length(1)
    clock.now += 10_000
    await outcome(authenticate(call))
    expect(fetched).to.have.length(2)
  })

  it('threat 55 keeps the keys it knows through an outage, and asks once a minute for one it does not', async () => {
    const set = await jwksFor('ES256')
    let up = true
    const { authenticate, fetched, clock } = await remote(async () => (up ? set : down()))
    await outcome(authenticate(callAsserting(await sign(assertionClaims()))))
    up = false
    clock.now += 61_000
    for (let n = 0; n < 100; n++) {
      const unknown = await sign(assertionClaims({ exp: nowSeconds() + 200 }), 'ES256', { kid: 'unknown' })
      expect(await outcome(authenticate(callAsserting(unknown)))).to.equal('401 invalid_client')
    }
    expect(fetched).to.have.length(2)
    clock.now += 30_000
    const again = await sign(assertionClaims({ exp: nowSeconds() + 200 }), 'ES256', { kid: 'unknown' })
    expect(await outcome(authenticate(callAsserting(again)))).to.equal('401 invalid_client')
    expect(fetched).to.have.length(2)
    const known = await sign(assertionClaims({ exp: nowSeconds() + 200 }), 'ES256', { kid: '1' })
    expect(await outcome(authenticate(callAsserting(known)))).to.equal('till')
  })

  it('takes a new key from jwks_uri as soon as an assertion names it', async () => {
    const sets = [await jwksFor('ES256', '1'), await jwksFor('PS256', '2')]
    const { authenticate, clock } = await remote(async () => sets.shift())
    await outcome(authenticate(callAsserting(await sign(assertionClaims()))))
    clock.now += 61_000
    const rotated = await sign(assertionClaims({ exp: nowSeconds() + 200 }), 'PS256', { kid: '2' })
    expect(await outcome(authenticate(callAsserting(rotated)))).to.equal('till')
  })

  it('passes over keys that cannot be used, and tries each of those that share a kid', async () => {
    const good = (await jwksFor('ES256')).keys[0]
    const other = await publicJwk('ES384')
    const another = { ...(await exportJWK((await generateKeyPair('ES256')).publicKey)), kty: 'EC', kid: '1' }
    const keys = [
      { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', kid: '1' },
      { kty: 'EC', crv: 'P-256', x: 5, y: null, kid: '1' },
      { ...other, kid: '1' },
      another,
      { ...good, use: 'enc' },
      good,
    ]
    const { authenticate } = await remote(async () => ({ keys }))
    for (const header of [{ kid: '1' }, {}]) {
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims(), 'ES256', header))))).to.equal(
        'till',
      )
    }
  })

  for (const [member, value] of [
    ['use', 'enc'],
    ['alg', 'ES384'],
    ['crv', 'P-384'],
    ['kty', 'OKP'],
  ] as const) {
    it(`does not verify with a key whose ${member} is ${value}`, async () => {
      const [key] = (await jwksFor('ES256')).keys
      const { authenticate } = await remote(async () => ({ keys: [{ ...key, [member]: value }] }))
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims()))))).to.equal('401 invalid_client')
    })
  }

  it('takes both names of Ed25519 for one', async () => {
    const [key] = (await jwksFor('Ed25519')).keys
    for (const [alg, name] of [
      ['Ed25519', 'EdDSA'],
      ['Ed25519', 'Ed25519'],
    ] as const) {
      const { till } = await clientWith(alg, { jwks: { keys: [{ ...key, kty: 'OKP', alg: name }] } })
      const { authenticate } = authentication({ till })
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims(), alg)))), name).to.equal('till')
    }
  })

  it('remembers a thousand sets, and forgets the one that was fetched first', async () => {
    const fetched: string[] = []
    const fetchSet = async (url: string) => {
      fetched.push(url)
      return jwksFor('ES256')
    }
    const keys = createClientKeys(() => 0, fetchSet)
    const ask = (n: number) =>
      keys.findKeys({ metadata: { jwks_uri: `https://till.example/${n}` } } as unknown as Client, () => true)
    for (let n = 0; n <= 1000; n++) await ask(n)
    await ask(1)
    expect(fetched).to.have.length(1001)
    await ask(0)
    expect(fetched).to.have.length(1002)
  })

  it('threat 55 takes 50 keys of a set and none with a private part', async () => {
    const good = (await jwksFor('ES256')).keys[0]
    const assertion = async () => callAsserting(await sign(assertionClaims()))
    const stranger = { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }
    const late = await remote(async () => ({ keys: [...Array(50).fill(stranger), good] }))
    expect(await outcome(late.authenticate(await assertion()))).to.equal('401 invalid_client')
    for (const part of ['d', 'p', 'k', 'priv']) {
      const leaking = await remote(async () => ({ keys: [{ ...good, [part]: 'AAAA' }] }))
      expect(await outcome(leaking.authenticate(await assertion()))).to.equal('401 invalid_client')
    }
  })
})
