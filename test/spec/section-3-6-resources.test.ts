import { expect } from 'chai'
import type { ApproveInput, ClientMetadata, DetailType } from 'express-ciba'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { z } from 'zod'
import { contextOf } from '../../lib/backchannel.ts'
import { checkBindingMessage } from '../../lib/protocol/request/bindingMessage.ts'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, privateJwk, startIssuing } from '../helpers/tokens.ts'

const accounts = 'https://api.example.com/accounts'
const payments = 'https://api.example.com/payments'
const payment = z.strictObject({
  type: z.literal('payment'),
  amount: z.string().regex(/^\d+\.\d\d$/),
  payee: z.string().max(70).optional(),
})
const asked = { type: 'payment', amount: '99.00', payee: 'ACME' }

const grantType = 'urn:openid:params:grant-type:ciba'

let issuing: Issuing
const start = async (options: HostOptions = {}, till: Partial<ClientMetadata> = {}) => {
  issuing = await startIssuing(till, options)
}
/** `scope` and `login_hint`, and whatever a form can hold twice. */
const ask = async (...more: [string, string][]) => {
  const form = new URLSearchParams([['scope', 'openid email'], ['login_hint', 'alice'], ...more])
  const { status, body } = await issuing.client.start(form.toString())
  return status === 200 ? String(body.auth_req_id) : `${status} ${body.error}`
}
const approve = (authReqId: string, members: Partial<ApproveInput> = {}) =>
  issuing.host.router.backchannel.approve({ request: authReqId, by: { sub: 'alice' }, ...members })
const collect = async (authReqId: string, ...more: [string, string][]) => {
  const form = new URLSearchParams([['grant_type', grantType], ['auth_req_id', authReqId], ...more])
  return (await issuing.client.post('/oidc/token', form.toString())).body
}
const collected = async (...more: [string, string][]) => {
  const authReqId = await ask(...more)
  await approve(authReqId)
  return collect(authReqId)
}

describe('RFC 9068: JWT access tokens', () => {
  afterEach(() => issuing.host.close())

  it('R9068-2.1-01 is signed and of type at+jwt; RS256 where there is such a key', async () => {
    await start({ keys: { keys: [privateJwk('P-256', { kid: 'ec' }), privateJwk('rsa', { kid: 'rsa' })] } })
    const header = decodeProtectedHeader((await collected()).access_token)
    expect(header).to.deep.equal({ alg: 'RS256', kid: 'rsa', typ: 'at+jwt' })
  })

  it('R9068-2.2-01, R9068-2.2.3-01 has every required claim, and scope', async () => {
    await start()
    const claims = decodeJwt((await collected()).access_token)
    expect(claims).to.have.all.keys('iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'scope')
    expect(claims).to.include({
      iss: issuing.host.origin,
      aud: issuing.host.origin,
      sub: 'alice',
      client_id: 'till',
      scope: 'openid email',
    })
  })

  it('R9068-2.2.1-01 has auth_time, acr and amr of the login', async () => {
    await start()
    const { access_token } = await issuing.tokens({}, { authTime: 1_700_000_000, acr: 'a', amr: ['pwd'] })
    expect(decodeJwt(access_token)).to.deep.include({ auth_time: 1_700_000_000, acr: 'a', amr: ['pwd'] })
  })

  it('R9068-3-01 is for the resource, else for the default audience', async () => {
    await start({ requests: { resources: { [accounts]: {} } }, tokens: { audience: 'https://api.example.com' } })
    expect(decodeJwt((await collected()).access_token).aud).to.equal('https://api.example.com')
    expect(decodeJwt((await collected(['resource', accounts])).access_token).aud).to.equal(accounts)
  })

  it('R9068-2.2.3-01, R9700-2.3-01, R6749-3.3-02 has the scope values that mean something to its resource, and says so', async () => {
    await start({ requests: { resources: { [accounts]: { scopes: ['email'] } } } })
    const tokens = await collected(['resource', accounts])
    expect([decodeJwt(tokens.access_token).scope, tokens.scope]).to.deep.equal(['email', 'email'])
  })

  it('R9068-5-01 differs from an ID token in type and audience', async () => {
    await start()
    const { access_token, id_token } = await collected()
    expect(decodeProtectedHeader(access_token).typ).not.to.equal(decodeProtectedHeader(id_token).typ)
    expect(decodeJwt(access_token).aud).not.to.equal(decodeJwt(id_token).aud)
  })
})

describe('RFC 8707: resource indicators', () => {
  afterEach(() => issuing.host.close())
  const resources = { [accounts]: {}, [payments]: {} }

  it('R8707-2-01 takes several, and refuses what is no absolute URI', async () => {
    await start({ requests: { resources } })
    const { access_token } = await collected(['resource', accounts], ['resource', payments])
    expect(decodeJwt(access_token).aud).to.deep.equal([accounts, payments])
    for (const uri of ['/accounts', `${accounts}#a`, 'accounts']) {
      expect(await ask(['resource', uri])).to.equal('400 invalid_target')
    }
  })

  it('takes ten at most', async () => {
    await start({ requests: { resources: () => ({}) } })
    const many = (count: number) => Array.from({ length: count }, (_, n) => ['resource', `https://api.example/${n}`])
    expect(await ask(...(many(10) as [string, string][]))).not.to.include('invalid_target')
    expect(await ask(...(many(11) as [string, string][]))).to.equal('400 invalid_target')
  })

  it('R8707-2-02, CIBA-13-12 refuses a resource that is not served, by default every one', async () => {
    await start({ requests: { resources } })
    expect(await ask(['resource', 'https://other.example'])).to.equal('400 invalid_target')
    await issuing.host.close()
    await start()
    expect(await ask(['resource', accounts])).to.equal('400 invalid_target')
  })

  it('R8707-2-02 asks a function of the host, with the client', async () => {
    await start({
      requests: {
        resources: async ({ resource: uri, client }) =>
          uri === accounts && client.client_id === 'till' ? {} : undefined,
      },
    })
    expect(decodeJwt((await collected(['resource', accounts])).access_token).aud).to.equal(accounts)
    expect(await ask(['resource', payments])).to.equal('400 invalid_target')
  })

  it('R8707-2-02 answers 503 when that function fails', async () => {
    const fail = () => Promise.reject(new Error('down'))
    await start({ requests: { resources: fail } })
    expect(await ask(['resource', payments])).to.equal('503 temporarily_unavailable')
  })

  it('R8707-2.2-01 is narrowed at the token endpoint, and what was not granted is refused', async () => {
    await start({ requests: { resources } })
    const authReqId = await ask(['resource', accounts], ['resource', payments])
    await approve(authReqId)
    expect((await collect(authReqId, ['resource', 'https://other.example'])).error).to.equal('invalid_target')
    expect(decodeJwt((await collect(authReqId, ['resource', payments])).access_token).aud).to.equal(payments)
  })

  it('R8707-2.2-01 takes the default audience where nothing was asked for', async () => {
    await start({ requests: { resources } })
    const authReqId = await ask()
    await approve(authReqId)
    expect((await collect(authReqId, ['resource', payments])).error).to.equal('invalid_target')
    const { access_token } = await collect(authReqId, ['resource', issuing.host.origin])
    expect(decodeJwt(access_token).aud).to.equal(issuing.host.origin)
  })

  it('is left with one by the decision: a token for the default audience was not asked for', async () => {
    await start({ requests: { resources } })
    const authReqId = await ask(['resource', accounts])
    const none = await approve(authReqId, { resources: [] }).catch((error) => error)
    expect(none).to.include({ code: 'invalid_target', status: 400 })
    await approve(authReqId)
    expect(decodeJwt((await collect(authReqId)).access_token).aud).to.equal(accounts)
  })

  it('is narrowed by the decision', async () => {
    await start({ requests: { resources } })
    const authReqId = await ask(['resource', accounts], ['resource', payments])
    expect(await approve(authReqId, { resources: [accounts] })).to.include({ status: 'approved' })
    expect((await collect(authReqId, ['resource', payments])).error).to.equal('invalid_target')
    expect(decodeJwt((await collect(authReqId)).access_token).aud).to.equal(accounts)
  })
})

describe('RFC 9396: authorization_details', () => {
  afterEach(() => issuing.host.close())
  const authorizationDetailsTypes = { payment }
  const details = (...all: unknown[]): [string, string] => ['authorization_details', JSON.stringify(all)]

  it('R9396-3-01, R9396-7-01 come back in the token response and in the access token, not in the ID token', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    const { authorization_details, access_token, id_token } = await collected(details(asked))
    expect(authorization_details).to.deep.equal([asked])
    expect(decodeJwt(access_token).authorization_details).to.deep.equal([asked])
    expect(decodeJwt(id_token)).not.to.have.property('authorization_details')
  })

  for (const [what, value] of [
    ['an unknown type', JSON.stringify([{ type: 'transfer' }])],
    ['an unknown field', JSON.stringify([{ ...asked, extra: 1 }])],
    ['a missing field', JSON.stringify([{ type: 'payment' }])],
    ['a wrong value', JSON.stringify([{ ...asked, amount: 'all' }])],
    ['a wrong type of value', JSON.stringify([{ ...asked, amount: 99 }])],
    ['no array', JSON.stringify(asked)],
    ['an empty array', '[]'],
    ['no JSON', '[{'],
    ['a prototype', '[{"type":"payment","amount":"1.00","__proto__":{"a":1}}]'],
    ['an element that is no object', '["payment"]'],
    ['too many', JSON.stringify(Array(21).fill(asked))],
  ] as const) {
    it(`R9396-5-01 refuses ${what}`, async () => {
      await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
      expect(await ask(['authorization_details', value])).to.equal('400 invalid_authorization_details')
    })
  }

  it('R9396-5-01 says which element is wrong, and how', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    const form = {
      scope: 'openid',
      login_hint: 'alice',
      authorization_details: JSON.stringify([asked, { ...asked, amount: 1 }]),
    }
    expect((await issuing.client.start(form)).body.error_description).to.include('element 2: amount: ')
  })

  it('R9396-5-01 refuses all where no type is registered', async () => {
    await start()
    expect(await ask(details(asked))).to.equal('400 invalid_authorization_details')
  })

  it('R9396-10-01 refuses types the client is not registered for, and publishes those on offer', async () => {
    await start(
      { requests: { authorizationDetails: authorizationDetailsTypes } },
      { authorization_details_types: ['other'] },
    )
    expect(await ask(details(asked))).to.equal('400 invalid_authorization_details')
    expect(issuing.host.router.backchannel.metadata().authorization_details_types_supported).to.deep.equal(['payment'])
  })

  it('R9396-3.1-01, FAPI1-5.2.2-06 are shown with the scope before the user decides', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    await ask(details(asked))
    const { deviceOf } = await import('../helpers/device.ts')
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { html } = await deviceOf('alice').open(issuing.host.notices[0]?.link ?? '')
    expect(html).to.include('99.00').and.include('ACME')
  })

  it('threat 29: are narrowed by the decision, never widened', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    const other = { ...asked, amount: '1.00' }
    const authReqId = await ask(details(asked, other))
    const wider = await approve(authReqId, { authorizationDetails: [{ ...asked, amount: '100.00' }] }).catch(
      (error) => error,
    )
    expect(wider).to.include({ code: 'invalid_authorization_details', status: 400 })
    await approve(authReqId, { authorizationDetails: [other] })
    expect((await collect(authReqId)).authorization_details).to.deep.equal([other])
  })

  it('are compared by a function of the host', async () => {
    const isWithin: DetailType['isWithin'] = ({ granted, asked }) => Number(granted.amount) <= Number(asked.amount)
    await start({ requests: { authorizationDetails: { payment: { schema: payment, isWithin } } } })
    const authReqId = await ask(details(asked))
    await approve(authReqId, { authorizationDetails: [{ ...asked, amount: '50.00' }] })
    const more = await collect(authReqId, details({ ...asked, amount: '51.00' }))
    expect(more.error).to.equal('invalid_authorization_details')
    const less = await collect(authReqId, details({ ...asked, amount: '20.00' }))
    expect(less.authorization_details).to.deep.equal([{ ...asked, amount: '20.00' }])
  })

  it('R9396-6-01 are narrowed at the token endpoint', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    const other = { ...asked, amount: '1.00' }
    const authReqId = await ask(details(asked, other))
    await approve(authReqId)
    expect((await collect(authReqId, details({ ...asked, amount: '2.00' }))).error).to.equal(
      'invalid_authorization_details',
    )
    expect((await collect(authReqId, details(other))).authorization_details).to.deep.equal([other])
  })

  it('R9396-6-01 grants no details where none were asked for, and none of another type', async () => {
    const other = { schema: payment.extend({ type: z.literal('other') }) }
    await start({ requests: { authorizationDetails: { ...authorizationDetailsTypes, other } } })
    const none = await ask()
    await approve(none)
    expect((await collect(none, details(asked))).error).to.equal('invalid_authorization_details')
    const one = await ask(details(asked))
    await approve(one)
    expect((await collect(one, details({ ...asked, type: 'other' }))).error).to.equal('invalid_authorization_details')
  })

  it('grants each element once: neither a decision nor a token request doubles a payment', async () => {
    await start({ requests: { authorizationDetails: authorizationDetailsTypes } })
    const authReqId = await ask(details(asked))
    const twice = await approve(authReqId, { authorizationDetails: [asked, asked] }).catch((error) => error)
    expect(twice).to.include({ code: 'invalid_authorization_details' })
    await approve(authReqId)
    expect((await collect(authReqId, details(asked, asked))).error).to.equal('invalid_authorization_details')
    expect((await collect(authReqId, details(asked))).authorization_details).to.deep.equal([asked])
  })

  it('FCIBA-4.1.1-02 explain a request as well as a binding message does', async () => {
    await start()
    const check = (explained: boolean) =>
      checkBindingMessage(contextOf(issuing.host.router.backchannel), undefined, { sentEmpty: false, explained }, true)
    expect(check(true)).to.equal(undefined)
    expect(() => check(false)).to.throw('binding_message is required')
  })
})

describe('OpenID Connect Core 5.5: the claims parameter', () => {
  afterEach(() => issuing.host.close())
  const claims = (value: unknown): [string, string] => [
    'claims',
    typeof value === 'string' ? value : JSON.stringify(value),
  ]
  const essential = (...values: string[]) => claims({ id_token: { acr: { essential: true, values } } })

  it('asks for claims one by one', async () => {
    await start({
      users: { find: () => ({ sub: 'alice', phone_number: '+1' }), claims: () => ({ nickname: 'Al', email: 'e' }) },
    })
    const { id_token } = await issuing.tokens({ claims: '{"id_token":{"nickname":null},"userinfo":{"email":null}}' })
    expect(decodeJwt(id_token)).to.include({ nickname: 'Al' }).and.not.have.property('email')
  })

  for (const value of [
    '[]',
    '{',
    '{"id_token":[]}',
    '{"id_token":{"acr":1}}',
    '{"id_token":{"acr":{"essential":"yes"}}}',
  ]) {
    it(`refuses ${value}`, async () => {
      await start()
      expect(await ask(claims(value))).to.equal('400 invalid_request')
    })
  }

  it('classes that are no text name none, and are no fault', async () => {
    await start({ requests: { acrValues: ['low'] } })
    const values = [{ toString: 1, valueOf: 1 }, ['low'], 5, null]
    expect(await ask(claims({ id_token: { acr: { essential: true, values } } }))).to.equal('403 access_denied')
    expect(await ask(claims({ id_token: { acr: { values } } }))).not.to.match(/^\d{3} /)
    expect(issuing.host.events.map(({ type }) => type)).not.to.include('fault')
  })

  it('OIDC-5.5.1.1-01 refuses an essential acr that no login reaches', async () => {
    await start({ requests: { acrValues: ['low'] } })
    expect(await ask(essential('high'))).to.equal('403 access_denied')
  })

  it('OIDC-5.5.1.1-01 fails the request when the login did not reach the essential acr', async () => {
    await start({ requests: { acrValues: ['low', 'high'] } })
    const authReqId = await ask(essential('high'))
    expect(await approve(authReqId, { by: { sub: 'alice', acr: 'low' } })).to.include({ status: 'failed' })
    expect((await collect(authReqId)).error).to.equal('expired_token')
    expect(issuing.host.events).to.deep.include({
      type: 'request.failed',
      request: authReqId.slice(0, 16),
      clientId: 'till',
      reason: 'acr',
    })
  })

  it('OIDC-5.5.1.1-01 says so to a screen that completes', async () => {
    await start({ requests: { acrValues: ['high'] } })
    const { status, body } = await issuing.client.complete({
      auth_req_id: await ask(essential('high')),
      approved: true,
    })
    expect([status, body.error]).to.deep.equal([401, 'insufficient_user_authentication'])
  })

  it('OIDC-5.5.1.1-01 is met by the acr, and a voluntary one by any', async () => {
    await start({ requests: { acrValues: ['low', 'high'] } })
    const authReqId = await ask(essential('high'))
    expect(await approve(authReqId, { by: { sub: 'alice', acr: 'high' } })).to.include({ status: 'approved' })
    const voluntary = await ask(claims({ id_token: { acr: { values: ['high'] } } }))
    expect(await approve(voluntary, { by: { sub: 'alice', acr: 'low' } })).to.include({ status: 'approved' })
  })

  it('OIDC-3.1.2.2-03 is nobody else than the sub it demands', async () => {
    await start()
    expect(await ask(claims({ id_token: { sub: { value: 'bob' } } }))).to.equal('400 unknown_user_id')
    expect(await ask(claims({ id_token: { sub: { value: 'alice' } } }))).to.have.length(59)
  })
})
