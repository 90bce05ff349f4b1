import { expect } from 'chai'
import { BackchannelError } from 'express-ciba'
import fc from 'fast-check'
import { authenticate as authenticateWith } from '../../lib/protocol/client/authenticate.ts'
import {
  assertionClaims,
  assertionType,
  authentication,
  callAsserting,
  callWith,
  clientWith,
  outcome,
  reason,
  secret,
  sign,
} from '../helpers/authentication.ts'
import { contextFor } from '../helpers/context.ts'

const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`
/** As oauth4webapi encodes both halves: everything but letters and digits. */
const encoded = (text: string) =>
  encodeURIComponent(text)
    .replace(/[-_.!~*'()]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')

describe('client authentication by secret', () => {
  const { authenticate } = authentication({
    basic: { client_secret: secret },
    post: { client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
    'a:b c': { client_secret: secret },
    public: { token_endpoint_auth_method: 'none' as never },
    alias: { client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  })

  it('R6749-2.3.1-01 form-decodes both halves of Basic', async () => {
    expect(await outcome(authenticate(callWith({}, { authorization: basic('basic', encoded(secret)) })))).to.equal(
      'basic',
    )
    expect(
      await outcome(authenticate(callWith({}, { authorization: basic(encoded('a:b c'), encoded(secret)) }))),
    ).to.equal('a:b c')
  })

  it('FAPI1-5.2.2-05 takes the same client_id in the body, and no other', async () => {
    const authorization = basic('basic', encoded(secret))
    expect(await outcome(authenticate(callWith({ client_id: 'basic' }, { authorization })))).to.equal('basic')
    expect(await outcome(authenticate(callWith({ client_id: 'post' }, { authorization })))).to.equal(
      '401 invalid_client',
    )
  })

  it('takes client_secret_post', async () => {
    expect(await outcome(authenticate(callWith({ client_id: 'post', client_secret: secret })))).to.equal('post')
  })

  for (const [what, why, form, authorization] of [
    ['a wrong secret', /secret is wrong/, { client_id: 'post', client_secret: 'wrong' }],
    ['a stranger', /no such client/, { client_id: 'nobody', client_secret: secret }],
    ['threat 46 a name of Object', /no such client/, { client_id: 'constructor', client_secret: secret }],
    ['threat 46 __proto__', /no such client/, { client_id: '__proto__', client_secret: secret }],
    [
      'the method of another client',
      /registered for client_secret_basic/,
      { client_id: 'basic', client_secret: secret },
    ],
    ['no credentials', /no credentials/, {}],
    ['threat 30 client_id alone', /registered for client_secret_post/, { client_id: 'post' }],
    ['threat 30 a client without a method', /must be a method that authenticates/, { client_id: 'public' }],
    ['a client registered under another name', /no such client/, { client_id: 'alias', client_secret: secret }],
    ['Basic with a wrong secret', /secret is wrong/, {}, basic('basic', 'wrong')],
    ['Basic without a secret', /secret is wrong/, {}, basic('basic', '')],
    ['Basic for a client of post', /registered for client_secret_post/, {}, basic('post', encoded(secret))],
    ['Basic that is no base64', /not well-formed/, {}, 'Basic %%%'],
    ['Basic without padding', /not well-formed/, {}, basic('basic', encoded(secret)).replace(/=+$/, '')],
    ['Basic that is not UTF-8', /not well-formed/, {}, `Basic ${Buffer.from([98, 58, 0xff]).toString('base64')}`],
    ['Basic without a colon', /not well-formed/, {}, `Basic ${Buffer.from('basic').toString('base64')}`],
    ['Basic with a broken encoding', /not well-formed/, {}, basic('basic', '%E0%A4%A')],
    ['another scheme', /not well-formed/, {}, 'Bearer abc'],
  ] as [string, RegExp, Record<string, string>, string?][]) {
    it(`CIBA-13-09, R7521-4.2-01 refuses ${what} with the one 401 invalid_client`, async () => {
      const promise = authenticate(callWith(form, { authorization }))
      expect(await reason(promise)).to.match(why)
      const error = (await promise.catch((thrown) => thrown)) as BackchannelError
      expect(error.status).to.equal(401)
      expect(error.headers['WWW-Authenticate']).to.equal(authorization === undefined ? undefined : 'Basic realm="oidc"')
    })
  }

  for (const [what, id] of [
    ['a NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['nothing', ''],
    ['16 KB', 'x'.repeat(16_384)],
  ] as const) {
    it(`does not look up a client_id of ${what}`, async () => {
      const { authenticate, asked } = authentication({})
      expect(await reason(authenticate(callWith({}, { authorization: basic(encoded(id), 'x') })))).to.match(
        /cannot be one/,
      )
      expect(asked).to.deep.equal([])
    })
  }

  it('CIBA-4-07 refuses a method that is not on offer, whatever the client proves', async () => {
    const { authenticate } = authentication({ till: { client_secret: secret } }, { methods: ['private_key_jwt'] })
    const promise = authenticate(callWith({}, { authorization: basic('till', encoded(secret)) }))
    expect(await reason(promise)).to.match(/client_secret_basic is not offered/)
  })

  it('threat 53, OIDC-16.12-01 compares hashes, so that length tells nothing', async () => {
    for (const client_secret of ['x', secret.slice(0, -1), `${secret}x`, secret.toUpperCase()]) {
      expect(await reason(authenticate(callWith({ client_id: 'post', client_secret })))).to.match(/secret is wrong/)
    }
  })

  it('refuses a secret that has expired, and nothing that needs no secret', async () => {
    const ended = { client_secret: secret, client_secret_expires_at: Math.floor(Date.now() / 1000) + 60 }
    const { authenticate, clock } = authentication({ till: ended })
    const call = () => authenticate(callWith({}, { authorization: basic('till', encoded(secret)) }))
    expect(await outcome(call())).to.equal('till')
    clock.now += 61_000
    expect(await reason(call())).to.match(/client_secret_expires_at is past/)
    const keys = await clientWith('ES256', { client_secret_expires_at: 1 })
    expect(await outcome(authentication(keys).authenticate(callAsserting(await sign(assertionClaims()))))).to.equal(
      'till',
    )
  })

  it('passes on an outage of the registry as it is', async () => {
    const outage = new BackchannelError('temporarily_unavailable', 'Down')
    const ctx = contextFor({ clients: { find: () => Promise.reject(outage) } })
    const call = callWith({ client_id: 'post', client_secret: secret })
    const thrown = await authenticateWith(ctx, call).catch((error) => error)
    expect(thrown).to.equal(outage)
  })

  it('R6749-2.3-01 refuses two methods at once', async () => {
    const form = { client_id: 'basic', client_secret: secret }
    expect(await outcome(authenticate(callWith(form, { authorization: basic('basic', encoded(secret)) })))).to.equal(
      '400 invalid_request',
    )
    expect(
      await outcome(
        authenticate(callWith({ ...form, client_assertion: 'a.b.c', client_assertion_type: assertionType })),
      ),
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
          expect(await outcome(authenticate(callWith({}, { authorization })))).to.equal('401 invalid_client')
        },
      ),
    )
  })
})
