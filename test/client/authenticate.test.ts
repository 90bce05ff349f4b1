import { expect } from 'chai'
import type { BackchannelError } from 'express-ciba'
import fc from 'fast-check'
import { assertionType, authentication, callWith, outcome, secret } from '../helpers/authentication.ts'

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
  })

  it('R6749-2.3.1-01 form-decodes both halves of Basic', async () => {
    expect(await outcome(authenticate(callWith({}, { authorization: basic('basic', encoded(secret)) })))).to.equal(
      'basic',
    )
    expect(
      await outcome(authenticate(callWith({}, { authorization: basic(encoded('a:b c'), encoded(secret)) }))),
    ).to.equal('a:b c')
  })

  it('takes the same client_id in the body, and no other', async () => {
    const authorization = basic('basic', encoded(secret))
    expect(await outcome(authenticate(callWith({ client_id: 'basic' }, { authorization })))).to.equal('basic')
    expect(await outcome(authenticate(callWith({ client_id: 'post' }, { authorization })))).to.equal(
      '401 invalid_client',
    )
  })

  it('takes client_secret_post', async () => {
    expect(await outcome(authenticate(callWith({ client_id: 'post', client_secret: secret })))).to.equal('post')
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
      const promise = authenticate(callWith(form, { authorization }))
      expect(await outcome(promise)).to.equal('401 invalid_client')
      const error = (await promise.catch((thrown) => thrown)) as BackchannelError
      expect(error.headers['WWW-Authenticate'] !== undefined).to.equal(authorization !== undefined)
      expect(error.message).to.equal('Client authentication failed')
    })
  }

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
