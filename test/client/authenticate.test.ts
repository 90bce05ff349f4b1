import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { BackchannelError, type BackchannelEvent, type Call, type ClientMetadata, memoryStore } from 'express-ciba'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createCheckAssertion } from '../../lib/client/assertion.ts'
import { createAuthenticate } from '../../lib/client/authenticate.ts'
import { createClientKeys } from '../../lib/client/keys.ts'
import { createReadClient } from '../../lib/client/metadata.ts'
import { createCheckCertificate, thumbprintOf } from '../../lib/client/mtls.ts'
import { asymmetricAlgs, hmacAlgs } from '../../lib/jws.ts'
import { makeCertificate } from '../helpers/certificates.ts'

const issuer = 'https://login.example.com'
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const secret = 'sécret: with ünusual+characters & 100% of it, long enough for HS512 ………………'
const methods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
] as const

function set(
  clients: Record<string, Omit<ClientMetadata, 'client_id'>>,
  options: { fetchJson?: (url: string) => Promise<unknown>; strict?: boolean } = {},
) {
  const events: BackchannelEvent[] = []
  const fetched: string[] = []
  const clock = { now: Date.now() }
  const store = memoryStore()
  const keys = createClientKeys({
    clock: () => clock.now,
    fetchJson: async (url) => {
      fetched.push(url)
      return options.fetchJson?.(url)
    },
  })
  const authenticate = createAuthenticate({
    find: (id) => (Object.hasOwn(clients, id) ? ({ client_id: id, ...clients[id] } as ClientMetadata) : undefined),
    read: createReadClient(),
    methods,
    checkAssertion: createCheckAssertion({
      store,
      clock: () => clock.now,
      emit: (event) => events.push(event),
      audiences: options.strict ? [issuer] : [issuer, `${issuer}/oidc/token`, `${issuer}/oidc/backchannel`],
      audienceAsString: options.strict ?? false,
      maxSeconds: 300,
      algs: [...asymmetricAlgs, ...hmacAlgs],
      keysFor: keys.keysFor,
    }),
    checkCertificate: createCheckCertificate({ clock: () => clock.now, allKeys: keys.allKeys }),
    thumbprintOf,
  })
  return { authenticate, events, fetched, clock }
}

function call(form: Record<string, string>, rest: Partial<Call> = {}): Call {
  return {
    form: { values: new Map(Object.entries(form)), empty: new Set(), resources: [] },
    dpop: [],
    url: `${issuer}/oidc/token`,
    certificate: () => undefined,
    ...rest,
  }
}

const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
/** As oauth4webapi encodes both halves: everything but letters and digits. */
const encoded = (text: string) =>
  encodeURIComponent(text)
    .replace(/[-_.!~*'()]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')

async function outcome(run: Promise<{ client: { id: string } }>): Promise<string> {
  try {
    return (await run).client.id
  } catch (thrown) {
    if (!(thrown instanceof BackchannelError)) throw thrown
    return `${thrown.status} ${thrown.code}`
  }
}

describe('client authentication by secret', () => {
  const { authenticate } = set({
    basic: { client_secret: secret },
    post: { client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
    'a:b c': { client_secret: secret },
  })

  it('R6749-2.3.1-01 form-decodes both halves of Basic', async () => {
    expect(await outcome(authenticate(call({}, { authorization: basic('basic', encoded(secret)) })))).to.equal('basic')
    expect(await outcome(authenticate(call({}, { authorization: basic(encoded('a:b c'), encoded(secret)) })))).to.equal(
      'a:b c',
    )
  })

  it('takes the same client_id in the body, and no other', async () => {
    const authorization = basic('basic', encoded(secret))
    expect(await outcome(authenticate(call({ client_id: 'basic' }, { authorization })))).to.equal('basic')
    expect(await outcome(authenticate(call({ client_id: 'post' }, { authorization })))).to.equal('401 invalid_client')
  })

  it('takes client_secret_post', async () => {
    expect(await outcome(authenticate(call({ client_id: 'post', client_secret: secret })))).to.equal('post')
  })

  for (const [what, form, authorization] of [
    ['a wrong secret', { client_id: 'post', client_secret: 'wrong' }, undefined],
    ['a stranger', { client_id: 'nobody', client_secret: secret }, undefined],
    ['a name of Object', { client_id: 'constructor', client_secret: secret }, undefined],
    ['__proto__', { client_id: '__proto__', client_secret: secret }, undefined],
    ['the method of another client', { client_id: 'basic', client_secret: secret }, undefined],
    ['no credentials', {}, undefined],
    ['client_id alone', { client_id: 'post' }, undefined],
    ['Basic with a wrong secret', {}, basic('basic', 'wrong')],
    ['Basic for a client of post', {}, basic('post', encoded(secret))],
    ['Basic that is no base64', {}, 'Basic %%%'],
    ['Basic without a colon', {}, `Basic ${Buffer.from('basic').toString('base64')}`],
    ['Basic with a broken encoding', {}, basic('basic', '%E0%A4%A')],
    ['another scheme', {}, 'Bearer abc'],
  ] as const) {
    it(`refuses ${what} with 401 invalid_client`, async () => {
      const promise = authenticate(call(form, { authorization }))
      expect(await outcome(promise)).to.equal('401 invalid_client')
      const error = (await promise.catch((thrown) => thrown)) as BackchannelError
      expect(error.headers['WWW-Authenticate'] !== undefined).to.equal(authorization !== undefined)
      expect(error.message).to.equal('Client authentication failed')
    })
  }

  it('R6749-2.3-01 refuses two methods at once', async () => {
    const form = { client_id: 'basic', client_secret: secret }
    expect(await outcome(authenticate(call(form, { authorization: basic('basic', encoded(secret)) })))).to.equal(
      '400 invalid_request',
    )
    expect(
      await outcome(authenticate(call({ ...form, client_assertion: 'a.b.c', client_assertion_type: assertionType }))),
    ).to.equal('400 invalid_request')
  })

  it('answers anything that claims to be Basic with a refusal, never a fault', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `Basic ${text}`),
        ),
        async (authorization) => {
          expect(await outcome(authenticate(call({}, { authorization })))).to.equal('401 invalid_client')
        },
      ),
    )
  })
})

describe('client authentication by assertion', () => {
  const claims = (changes: JWTPayload = {}): JWTPayload => {
    const now = Math.floor(Date.now() / 1000)
    return { iss: 'till', sub: 'till', aud: issuer, iat: now, exp: now + 60, jti: crypto.randomUUID(), ...changes }
  }
  const form = (client_assertion: string, rest: Record<string, string> = {}) =>
    call({ client_assertion, client_assertion_type: assertionType, ...rest })
  const pairs = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>()
  const pairFor = async (alg: string) => {
    const pair = pairs.get(alg) ?? (await generateKeyPair(alg, { extractable: true }))
    pairs.set(alg, pair)
    return pair
  }
  const clientWith = async (alg: string, rest: Partial<ClientMetadata> = {}) => ({
    till: {
      token_endpoint_auth_method: 'private_key_jwt' as const,
      jwks: { keys: [{ ...((await exportJWK((await pairFor(alg)).publicKey)) as { kty: string }), kid: '1' }] },
      ...rest,
    },
  })
  const sign = async (payload: JWTPayload, alg = 'ES256', header: Record<string, unknown> = {}) =>
    new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign((await pairFor(alg)).privateKey)

  for (const alg of asymmetricAlgs) {
    it(`takes private_key_jwt with ${alg}`, async () => {
      const { authenticate } = set(await clientWith(alg))
      expect(await outcome(authenticate(form(await sign(claims(), alg))))).to.equal('till')
    }).timeout(20_000)
  }

  for (const alg of hmacAlgs) {
    it(`takes client_secret_jwt with ${alg}`, async () => {
      const { authenticate } = set({ till: { token_endpoint_auth_method: 'client_secret_jwt', client_secret: secret } })
      const jwt = await new SignJWT(claims()).setProtectedHeader({ alg }).sign(Buffer.from(secret))
      expect(await outcome(authenticate(form(jwt)))).to.equal('till')
    })
  }

  it('takes it once, however many race, and tells of the replay', async () => {
    const { authenticate, events } = set(await clientWith('ES256'))
    const jwt = await sign(claims())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(authenticate(form(jwt)))))
    expect(outcomes.filter((each) => each === 'till')).to.have.length(1)
    expect(events.filter(({ type }) => type === 'replay.seen')).to.have.length(19)
  })

  const now = () => Math.floor(Date.now() / 1000)
  const table: [string, () => JWTPayload, Record<string, unknown>][] = [
    ['another issuer', () => claims({ iss: 'other' }), {}],
    ['another subject', () => claims({ sub: 'other' }), {}],
    ['another audience', () => claims({ aud: 'https://other.example' }), {}],
    ['no audience', () => claims({ aud: undefined as never }), {}],
    ['no expiry', () => claims({ exp: undefined as never }), {}],
    ['an expiry in the past', () => claims({ exp: now() - 1 }), {}],
    ['an expiry far ahead', () => claims({ exp: now() + 3600 }), {}],
    ['iat in the future', () => claims({ iat: now() + 120 }), {}],
    ['nbf in the future', () => claims({ nbf: now() + 120 }), {}],
    ['no jti', () => claims({ jti: undefined as never }), {}],
    ['a jti of 257 characters', () => claims({ jti: 'x'.repeat(257) }), {}],
    ['the type of a request object', () => claims(), { typ: 'oauth-authz-req+jwt' }],
    ['the type of an access token', () => claims(), { typ: 'at+jwt' }],
    ['the type of a proof, in other letters', () => claims(), { typ: 'application/DPoP+JWT' }],
    ['an unknown kid', () => claims(), { kid: 'other' }],
  ]
  for (const [what, payload, header] of table) {
    it(`refuses ${what}`, async () => {
      const { authenticate } = set(await clientWith('ES256'))
      expect(await outcome(authenticate(form(await sign(payload(), 'ES256', header), { client_id: 'till' })))).to.equal(
        '401 invalid_client',
      )
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
        await outcome(set(await clientWith('ES256')).authenticate(form(await sign(claims({ aud: given }))))),
      ).to.equal(lenient)
      expect(
        await outcome(
          set(await clientWith('ES256'), { strict: true }).authenticate(form(await sign(claims({ aud: given })))),
        ),
      ).to.equal(strict)
    }
  })

  it('holds to the registered algorithm and to the key type', async () => {
    const rsa = await clientWith('PS256', { token_endpoint_auth_signing_alg: 'PS256' })
    expect(await outcome(set(rsa).authenticate(form(await sign(claims(), 'PS256'))))).to.equal('till')
    const same = await pairFor('PS256')
    const jwk = await exportJWK(same.privateKey)
    const { importJWK } = await import('jose')
    const rs256 = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256' }).sign(await importJWK(jwk, 'RS256'))
    expect(await outcome(set(rsa).authenticate(form(rs256)))).to.equal('401 invalid_client')
    const publicAsSecret = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(JSON.stringify(rsa.till.jwks)))
    expect(await outcome(set(rsa).authenticate(form(publicAsSecret)))).to.equal('401 invalid_client')
    const [, payload] = (await sign(claims(), 'PS256')).split('.')
    for (const alg of ['none', 'noNE', 'None']) {
      const unsecured = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.${payload}.`
      expect(await outcome(set(rsa).authenticate(form(unsecured)))).to.equal('401 invalid_client')
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
      const { authenticate, fetched } = set(mine)
      const jwt = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', ...header }).sign(attacker.privateKey)
      expect(await outcome(authenticate(form(jwt)))).to.equal('401 invalid_client')
      expect(fetched).to.deep.equal([])
    }
    const crit = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'ES256', crit: ['b64'], b64: true })
      .sign((await pairFor('ES256')).privateKey)
    expect(await outcome(set(mine).authenticate(form(crit)))).to.equal('401 invalid_client')
  })

  it('refuses what is no compact JWS of a sane size before it looks at it', async () => {
    const { authenticate } = set(await clientWith('ES256'))
    for (const text of [
      '',
      'a',
      'a.b',
      'a.b.c.d.e',
      '{"payload":"x"}',
      'é.b.c',
      `${'x'.repeat(1_000_000)}.b.c`,
      await sign(claims({ jti: 'x'.repeat(1_000_000) })),
    ]) {
      expect(await outcome(authenticate(form(text, { client_id: 'till' })))).to.equal('401 invalid_client')
    }
    const good = await sign(claims())
    expect(await outcome(authenticate(call({ client_assertion: good, client_assertion_type: 'other' })))).to.equal(
      '401 invalid_client',
    )
    expect(
      await outcome(
        authenticate(call({ client_assertion: good, client_assertion_type: assertionType, client_id: 'other' })),
      ),
    ).to.equal('401 invalid_client')
  })

  it('answers any text with a refusal, never a fault', async () => {
    const { authenticate } = set(await clientWith('ES256'))
    const part = fc.oneof(
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.base64String(),
    )
    await fc.assert(
      fc.asyncProperty(fc.tuple(part, part, part), async (parts) => {
        expect(await outcome(authenticate(form(parts.join('.'))))).to.equal('401 invalid_client')
      }),
    )
  })

  it('fetches jwks_uri once for many callers, and once a minute for a kid it does not know', async () => {
    const { till } = await clientWith('ES256')
    const { authenticate, fetched, clock } = set(
      { till: { ...till, jwks: undefined, jwks_uri: 'https://till.example/jwks' } },
      { fetchJson: async () => till.jwks },
    )
    const jwts = await Promise.all(Array.from({ length: 10 }, () => sign(claims())))
    expect(await Promise.all(jwts.map((jwt) => outcome(authenticate(form(jwt)))))).to.deep.equal(Array(10).fill('till'))
    expect(fetched).to.have.length(1)
    clock.now += 61_000
    for (let n = 0; n < 100; n++)
      await outcome(authenticate(form(await sign(claims({ exp: now() + 200 }), 'ES256', { kid: 'unknown' }))))
    expect(fetched).to.have.length(2)
  })

  it('reads an outage of jwks_uri as an outage, not as a wrong client', async () => {
    const { till } = await clientWith('ES256')
    const down = async () => {
      throw new Error('connection refused')
    }
    const { authenticate } = set(
      { till: { ...till, jwks: undefined, jwks_uri: 'https://till.example/jwks' } },
      { fetchJson: down },
    )
    const jwt = await sign(claims())
    expect(await authenticate(form(jwt)).catch((thrown: Error) => thrown.message)).to.equal('connection refused')
  })
})

describe('client authentication by certificate', () => {
  const authority = makeCertificate({ subject: '/CN=Bank authority', authority: true })
  const till = makeCertificate({
    subject: '/C=DE/O=Corner Bank/CN=till',
    issuer: authority,
    altNames: 'DNS:till.example,URI:spiffe://bank/till,IP:10.1.2.3,IP:2001:db8::1,email:till@example.com',
  })
  const shown = (pem: { cert: string }, chained = true) => ({
    certificate: () => ({ x509: new X509Certificate(pem.cert), chained }),
  })
  const mtls = (metadata: Partial<ClientMetadata>) =>
    set({ till: { token_endpoint_auth_method: 'tls_client_auth', ...metadata } }).authenticate

  for (const [member, right, wrong] of [
    ['tls_client_auth_subject_dn', 'CN=till,O=Corner Bank,C=DE', 'CN=till,O=Other Bank,C=DE'],
    ['tls_client_auth_san_dns', 'till.example', 'example'],
    ['tls_client_auth_san_uri', 'spiffe://bank/till', 'spiffe://bank'],
    ['tls_client_auth_san_ip', '10.1.2.3', '10.1.2.4'],
    ['tls_client_auth_san_ip', '2001:0db8:0:0::1', '2001:db8::2'],
    ['tls_client_auth_san_email', 'till@example.com', 'evil@example.com'],
  ] as const) {
    it(`R8705-2-02 matches ${member}`, async () => {
      expect(await outcome(mtls({ [member]: right })(call({ client_id: 'till' }, shown(till))))).to.equal('till')
      expect(await outcome(mtls({ [member]: wrong })(call({ client_id: 'till' }, shown(till))))).to.equal(
        '401 invalid_client',
      )
    })
  }

  it('wants a chain for tls_client_auth, a certificate in any case, and one that is not over', async () => {
    const authenticate = mtls({ tls_client_auth_san_dns: 'till.example' })
    expect(await outcome(authenticate(call({ client_id: 'till' }, shown(till, false))))).to.equal('401 invalid_client')
    expect(await outcome(authenticate(call({ client_id: 'till' })))).to.equal('401 invalid_client')
    const { authenticate: later, clock } = set({
      till: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'till.example' },
    })
    clock.now += 3 * 86_400_000
    expect(await outcome(later(call({ client_id: 'till' }, shown(till))))).to.equal('401 invalid_client')
  })

  it('finds a self-signed certificate by the key in the registered set', async () => {
    const own = makeCertificate({ subject: '/CN=anything' })
    const other = makeCertificate({ subject: '/CN=anything' })
    const key = new X509Certificate(own.cert).publicKey.export({ format: 'jwk' }) as { kty: string }
    const authenticate = mtls({ token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [key] } })
    expect(await outcome(authenticate(call({ client_id: 'till' }, shown(own, false))))).to.equal('till')
    expect(await outcome(authenticate(call({ client_id: 'till' }, shown(other, false))))).to.equal('401 invalid_client')
  })

  it('hands the thumbprint on', async () => {
    const { certificateThumbprint } = await mtls({ tls_client_auth_san_dns: 'till.example' })(
      call({ client_id: 'till' }, shown(till)),
    )
    const wanted = new X509Certificate(till.cert).fingerprint256.replaceAll(':', '')
    expect(
      Buffer.from(certificateThumbprint ?? '', 'base64url')
        .toString('hex')
        .toUpperCase(),
    ).to.equal(wanted)
  })
})
