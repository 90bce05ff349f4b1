import { expect } from 'chai'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose'
import { asymmetricAlgs, hmacAlgs } from '../../lib/jws.ts'
import {
  assertionClaims,
  assertionType,
  authentication,
  callAsserting,
  callWith,
  clientWith,
  issuer,
  nowSeconds,
  outcome,
  pairFor,
  secret,
  sign,
} from '../helpers/authentication.ts'

describe('client authentication by assertion', () => {
  for (const alg of asymmetricAlgs) {
    it(`takes private_key_jwt with ${alg}`, async () => {
      const { authenticate } = authentication(await clientWith(alg))
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims(), alg))))).to.equal('till')
    }).timeout(20_000)
  }

  for (const alg of hmacAlgs) {
    it(`takes client_secret_jwt with ${alg}`, async () => {
      const { authenticate } = authentication({
        till: { token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret },
      })
      const jwt = await new SignJWT(assertionClaims()).setProtectedHeader({ alg }).sign(Buffer.from(secret))
      expect(await outcome(authenticate(callAsserting(jwt)))).to.equal('till')
    })
  }

  it('takes it once, however many race, and tells of the replay', async () => {
    const { authenticate, events } = authentication(await clientWith('ES256'))
    const jwt = await sign(assertionClaims())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(authenticate(callAsserting(jwt)))))
    expect(outcomes.filter((each) => each === 'till')).to.have.length(1)
    expect(events.filter(({ type }) => type === 'replay.seen')).to.have.length(19)
  })

  const table: [string, () => JWTPayload, Record<string, unknown>][] = [
    ['another issuer', () => assertionClaims({ iss: 'other' }), {}],
    ['another subject', () => assertionClaims({ sub: 'other' }), {}],
    ['another audience', () => assertionClaims({ aud: 'https://other.example' }), {}],
    ['no audience', () => assertionClaims({ aud: undefined as never }), {}],
    ['no expiry', () => assertionClaims({ exp: undefined as never }), {}],
    ['an expiry in the past', () => assertionClaims({ exp: nowSeconds() - 1 }), {}],
    ['an expiry far ahead', () => assertionClaims({ exp: nowSeconds() + 3600 }), {}],
    ['iat in the future', () => assertionClaims({ iat: nowSeconds() + 120 }), {}],
    ['nbf in the future', () => assertionClaims({ nbf: nowSeconds() + 120 }), {}],
    ['no jti', () => assertionClaims({ jti: undefined as never }), {}],
    ['a jti of 257 characters', () => assertionClaims({ jti: 'x'.repeat(257) }), {}],
    ['the type of a request object', () => assertionClaims(), { typ: 'oauth-authz-req+jwt' }],
    ['the type of an access token', () => assertionClaims(), { typ: 'at+jwt' }],
    ['the type of a proof, in other letters', () => assertionClaims(), { typ: 'application/DPoP+JWT' }],
    ['an unknown kid', () => assertionClaims(), { kid: 'other' }],
  ]
  for (const [what, payload, header] of table) {
    it(`refuses ${what}`, async () => {
      const { authenticate } = authentication(await clientWith('ES256'))
      expect(
        await outcome(authenticate(callAsserting(await sign(payload(), 'ES256', header), { client_id: 'till' }))),
      ).to.equal('401 invalid_client')
    })
  }

  it('follows the audience rule: any endpoint, or the issuer as a string alone', async () => {
    for (const [aud, lenient, strict] of [
      [issuer, 'till', 'till'],
      [[issuer], 'till', '401 invalid_client'],
      [`${issuer}/oidc/token`, 'till', '401 invalid_client'],
      [`${issuer}/oidc/backchannel`, 'till', '401 invalid_client'],
      [[`${issuer}/oidc/token`, 'https://other.example'], 'till', '401 invalid_client'],
      [`${issuer}/`, '401 invalid_client', '401 invalid_client'],
    ] as const) {
      const given = typeof aud === 'string' ? aud : [...aud]
      expect(
        await outcome(
          authentication(await clientWith('ES256')).authenticate(
            callAsserting(await sign(assertionClaims({ aud: given }))),
          ),
        ),
      ).to.equal(lenient)
      expect(
        await outcome(
          authentication(await clientWith('ES256'), { strict: true }).authenticate(
            callAsserting(await sign(assertionClaims({ aud: given }))),
          ),
        ),
      ).to.equal(strict)
    }
  })

  it('holds to the registered algorithm and to the key type', async () => {
    const rsa = await clientWith('PS256', { token_endpoint_auth_signing_alg: 'PS256' })
    expect(
      await outcome(authentication(rsa).authenticate(callAsserting(await sign(assertionClaims(), 'PS256')))),
    ).to.equal('till')
    const same = await pairFor('PS256')
    const jwk = await exportJWK(same.privateKey)
    const rs256 = await new SignJWT(assertionClaims())
      .setProtectedHeader({ alg: 'RS256' })
      .sign(await importJWK(jwk, 'RS256'))
    expect(await outcome(authentication(rsa).authenticate(callAsserting(rs256)))).to.equal('401 invalid_client')
    const publicAsSecret = await new SignJWT(assertionClaims())
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(JSON.stringify(rsa.till.jwks)))
    expect(await outcome(authentication(rsa).authenticate(callAsserting(publicAsSecret)))).to.equal(
      '401 invalid_client',
    )
    const [, payload] = (await sign(assertionClaims(), 'PS256')).split('.')
    for (const alg of ['none', 'noNE', 'None']) {
      const unsecured = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.`
      expect(await outcome(authentication(rsa).authenticate(callAsserting(unsecured)))).to.equal('401 invalid_client')
    }
  })

  it('never looks at keys that a header brings', async () => {
    const mine = await clientWith('ES256')
    const attacker = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(attacker.publicKey)
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/cert' },
      { kid: "1' OR '1'='1" },
      { kid: '../../etc/passwd' },
    ]) {
      const { authenticate, fetched } = authentication(mine)
      const jwt = await new SignJWT(assertionClaims())
        .setProtectedHeader({ alg: 'ES256', ...header })
        .sign(attacker.privateKey)
      expect(await outcome(authenticate(callAsserting(jwt)))).to.equal('401 invalid_client')
      expect(fetched).to.deep.equal([])
    }
    const crit = await new SignJWT(assertionClaims())
      .setProtectedHeader({ alg: 'ES256', crit: ['b64'], b64: true })
      .sign((await pairFor('ES256')).privateKey)
    expect(await outcome(authentication(mine).authenticate(callAsserting(crit)))).to.equal('401 invalid_client')
  })

  it('refuses what is no compact JWS of a sane size before it looks at it', async () => {
    const { authenticate } = authentication(await clientWith('ES256'))
    for (const text of [
      '',
      'a',
      'a.b',
      'a.b.c.d.e',
      '{"payload":"x"}',
      'é.b.c',
      `${'x'.repeat(1_000_000)}.b.c`,
      await sign(assertionClaims({ jti: 'x'.repeat(1_000_000) })),
    ]) {
      expect(await outcome(authenticate(callAsserting(text, { client_id: 'till' })))).to.equal('401 invalid_client')
    }
    const good = await sign(assertionClaims())
    expect(await outcome(authenticate(callWith({ client_assertion: good, client_assertion_type: 'other' })))).to.equal(
      '401 invalid_client',
    )
    expect(
      await outcome(
        authenticate(callWith({ client_assertion: good, client_assertion_type: assertionType, client_id: 'other' })),
      ),
    ).to.equal('401 invalid_client')
  })

  it('answers any text with a refusal, never a fault', async () => {
    const { authenticate } = authentication(await clientWith('ES256'))
    const part = fc.oneof(
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.base64String(),
    )
    await fc.assert(
      fc.asyncProperty(fc.tuple(part, part, part), async (parts) => {
        expect(await outcome(authenticate(callAsserting(parts.join('.'))))).to.equal('401 invalid_client')
      }),
    )
  })
})
