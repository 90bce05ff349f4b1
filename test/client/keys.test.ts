import { expect } from 'chai'
import {
  assertionClaims,
  authentication,
  callAsserting,
  clientWith,
  nowSeconds,
  outcome,
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

  it('reads an outage of jwks_uri as an outage, not as a wrong client', async () => {
    const { till } = await clientWith('ES256')
    const down = async () => {
      throw new Error('connection refused')
    }
    const { authenticate } = authentication(
      { till: { ...till, jwks: undefined, jwks_uri: 'https://till.example/jwks' } },
      { fetchJson: down },
    )
    const jwt = await sign(assertionClaims())
    expect(await authenticate(callAsserting(jwt)).catch((thrown: Error) => thrown.message)).to.equal(
      'connection refused',
    )
  })
})
