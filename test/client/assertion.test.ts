import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose'
import { asymmetricAlgs, hmacAlgs } from '../../lib/core/crypto/jws.ts'
import {
  assertionClaims,
  assertionType,
  authentication,
  callAsserting,
  callWith,
  clientWith,
  issuer,
  jwksFor,
  nowSeconds,
  outcome,
  pairFor,
  reason,
  secret,
  sign,
} from '../helpers/authentication.ts'
import { makeCertificate } from '../helpers/certificates.ts'

describe('client authentication by assertion', () => {
  for (const alg of asymmetricAlgs) {
    it(`OIDC-9-02, R7523-3-04 takes private_key_jwt with ${alg}`, async () => {
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

  it('threat 20, R7523-3-03 takes it once, however many race, and tells of the replay', async () => {
    const { authenticate, events } = authentication(await clientWith('ES256'))
    const jwt = await sign(assertionClaims())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(authenticate(callAsserting(jwt)))))
    expect(outcomes.filter((each) => each === 'till')).to.have.length(1)
    expect(events.filter(({ type }) => type === 'replay.seen')).to.have.length(19)
  })

  const table: [string, RegExp, JWTPayload, Record<string, unknown>?][] = [
    ['another issuer', /iss and sub/, { iss: 'other' }],
    ['another subject', /iss and sub/, { sub: 'other' }],
    ['no issuer', /iss and sub/, { iss: undefined as never }],
    ['another audience', /aud/, { aud: 'https://other.example' }],
    ['no audience', /aud/, { aud: undefined as never }],
    ['an audience that is no text', /aud/, { aud: [{ url: issuer }, 5, null] as never }],
    ['no expiry', /exp/, { exp: undefined as never }],
    ['an expiry in the past', /exp/, { exp: nowSeconds() - 1 }],
    ['an expiry in words', /exp/, { exp: String(nowSeconds() + 60) as never }],
    ['an expiry far ahead', /lives for more than 300 s/, { exp: nowSeconds() + 3600 }],
    ['iat in the future', /iat or nbf/, { iat: nowSeconds() + 3600 }],
    ['nbf in the future', /iat or nbf/, { nbf: nowSeconds() + 3600 }],
    ['nbf in words', /iat or nbf/, { nbf: 'now' as never }],
    ['no jti', /jti/, { jti: undefined as never }],
    ['an empty jti', /jti/, { jti: '' }],
    ['threat 20 a jti of 257 characters', /jti/, { jti: 'x'.repeat(257) }],
    ['threat 24 the type of a request object', /another type/, {}, { typ: 'oauth-authz-req+jwt' }],
    ['threat 24 the type of an access token', /another type/, {}, { typ: 'at+jwt' }],
    ['threat 24 the type of a proof, in other letters', /another type/, {}, { typ: 'application/DPoP+JWT' }],
    ['threat 24 the type of something new', /another type/, {}, { typ: 'kb+jwt' }],
    ['an unknown kid', /no key/, {}, { kid: 'other' }],
    ['a critical extension', /not a signed JWT/, {}, { crit: ['b64'], b64: true }],
  ]
  for (const [what, why, changes, header] of table) {
    it(`R7523-3-01, R7523-3-02, R7523-3.2-01 refuses ${what}`, async () => {
      const { authenticate } = authentication(await clientWith('ES256'))
      const jwt = await sign(assertionClaims(changes), 'ES256', header)
      expect(await reason(authenticate(callAsserting(jwt, { client_id: 'till' })))).to.match(why)
    })
  }

  for (const typ of [undefined, 'JWT', 'jwt', 'application/jwt', 'client-authentication+jwt']) {
    it(`R10070-4-02 takes the type ${typ}`, async () => {
      const { authenticate } = authentication(await clientWith('ES256'))
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims(), 'ES256', { typ }))))).to.equal(
        'till',
      )
    })
  }

  it('threat 20 keeps the ids of clients apart', async () => {
    const jwks = await jwksFor('ES256')
    const method = { token_endpoint_auth_method: 'private_key_jwt', jwks } as const
    const { authenticate } = authentication({ till: method, 'till 1': method })
    const by = async (id: string, jti: string) =>
      outcome(authenticate(callAsserting(await sign(assertionClaims({ iss: id, sub: id, jti })))))
    expect(await by('till', '1 2')).to.equal('till')
    expect(await by('till 1', '2')).to.equal('till 1')
    expect(await by('till', '1 2')).to.equal('401 invalid_client')
  })

  it('threat 21 CIBA-7.1-03, CIBA-7.1-02, OIDC-9-03, R10070-6-01 follows the audience rule: any endpoint, or the issuer as a string alone', async () => {
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

  it('R10070-4-01 takes nobody beside the issuer where the issuer is the one audience', async () => {
    for (const [aud, expected] of [
      [issuer, 'till'],
      [[issuer], 'till'],
      [[issuer, 'https://other.example'], '401 invalid_client'],
      [[issuer, issuer], '401 invalid_client'],
      [[], '401 invalid_client'],
    ] as const) {
      const { authenticate } = authentication(await clientWith('ES256'), { issuerAlone: true })
      const given = typeof aud === 'string' ? aud : [...aud]
      expect(await outcome(authenticate(callAsserting(await sign(assertionClaims({ aud: given })))))).to.equal(expected)
    }
  })

  it('threat 22, R8725-3.1-01 lets each key verify its own algorithms alone', async () => {
    const taken: string[] = []
    for (const keyAlg of asymmetricAlgs) {
      // without "alg" the key itself has to say what it is for
      const { authenticate } = authentication(await clientWith(keyAlg))
      for (const alg of asymmetricAlgs) {
        const mine = await importJWK(await exportJWK((await pairFor(keyAlg)).privateKey), alg).catch(() => undefined)
        const jwt = await (mine === undefined
          ? sign(assertionClaims(), alg)
          : new SignJWT(assertionClaims())
              .setProtectedHeader({ alg })
              .sign(mine)
              .catch(() => sign(assertionClaims(), alg)))
        if ((await outcome(authenticate(callAsserting(jwt)))) === 'till') taken.push(`${keyAlg} ${alg}`)
      }
    }
    const families = [asymmetricAlgs.slice(0, 6), ['ES256'], ['ES384'], ['ES512'], ['EdDSA', 'Ed25519']]
    const fitting = families.flatMap((family) => family.flatMap((key) => family.map((alg) => `${key} ${alg}`)))
    expect(taken.sort()).to.deep.equal(fitting.sort())
  }).timeout(30_000)

  it('CIBA-4-07 refuses an algorithm that is not on offer', async () => {
    const { authenticate } = authentication(await clientWith('ES256'), { algs: ['PS256'] })
    expect(await reason(authenticate(callAsserting(await sign(assertionClaims()))))).to.match(/this algorithm/)
  })

  it('threat 20 does not read an assertion of more than 8 KB', async () => {
    const { authenticate } = authentication(await clientWith('ES256'))
    const long = await sign(assertionClaims({ pad: 'x'.repeat(8_192) }))
    expect(await reason(authenticate(callAsserting(long, { client_id: 'till' })))).to.match(/too long/)
  })

  it('threat 22 holds a key to the algorithm it is registered with', async () => {
    const { keys } = await jwksFor('PS256')
    const { authenticate } = authentication(
      await clientWith('PS256', { jwks: { keys: [{ ...keys[0], alg: 'PS256' }] } }),
    )
    const rs256 = await importJWK(await exportJWK((await pairFor('PS256')).privateKey), 'RS256')
    expect(await outcome(authenticate(callAsserting(await sign(assertionClaims(), 'PS256'))))).to.equal('till')
    const jwt = await new SignJWT(assertionClaims()).setProtectedHeader({ alg: 'RS256' }).sign(rs256)
    expect(await reason(authenticate(callAsserting(jwt)))).to.match(/no key/)
  })

  for (const [alg, bytes] of [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const) {
    it(`OIDC-16.19-01 wants a secret of ${bytes} bytes for ${alg}`, async () => {
      for (const [length, expected] of [
        [bytes, 'till'],
        [bytes - 1, '401 invalid_client'],
      ] as const) {
        const client_secret = 'x'.repeat(length)
        const { authenticate } = authentication({
          till: { token_endpoint_auth_method: 'client_secret_jwt', client_secret },
        })
        const jwt = await new SignJWT(assertionClaims()).setProtectedHeader({ alg }).sign(Buffer.from(client_secret))
        expect(await outcome(authenticate(callAsserting(jwt)))).to.equal(expected)
      }
    })
  }

  it('threat 22 holds to the registered algorithm and to the key type', async () => {
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

  it('threat 23, R8725-3.10-01, FAPI2-5.4.2-01 never looks at keys that a header brings', async () => {
    const mine = await clientWith('ES256')
    const attacker = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(attacker.publicKey)
    const evil = new X509Certificate(makeCertificate({ subject: '/CN=till' }).cert)
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/cert' },
      { x5c: [Buffer.from(evil.raw).toString('base64')] },
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
  })

  it('threat 26 refuses what is no compact JWS of a sane size before it looks at it', async () => {
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
