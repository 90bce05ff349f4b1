import { expect } from 'chai'
import { ChannelError, type Hint, inProcessQueue, memoryStore } from 'express-ciba'
import { type CibaFeatureOptions, createCibaFeature } from 'express-ciba/adapters/oidc-provider'
import { errors } from 'oidc-provider'
import { z } from 'zod'
import { deviceOf } from './helpers/device.ts'
import { noLimits } from './helpers/host.ts'
import { byLink, claimsIn, type ProviderHost, type ProviderHostOptions, startProvider } from './helpers/oidcProvider.ts'
import { until } from './helpers/until.ts'

describe('the complement of oidc-provider', () => {
  let host: ProviderHost
  const start = async (options?: ProviderHostOptions) => {
    host = await startProvider(options)
    return host
  }
  afterEach(() => host?.close())

  it('brings the login that decided, and the claims that were asked for, to the ID token', async () => {
    const claims = JSON.stringify({ id_token: { email: null } })
    const features = { claimsParameter: { enabled: true } }
    const { ask, answer, result } = await start({
      client: { require_auth_time: true },
      ciba: { requests: { acrValues: ['urn:test:pwd'] } },
      provider: { features, acrValues: ['urn:test:pwd'], claims: { email: ['email'] } },
    })
    const { body } = await ask({ claims, acr_values: 'urn:test:pwd' })
    await answer(body.link, 'approve')
    const token = claimsIn((await result(body.auth_req_id)).body.id_token)
    expect(token).to.include({ sub: 'alice', email: 'alice@example.com', acr: 'urn:test:pwd' })
    expect(token.auth_time).to.be.closeTo(Date.now() / 1000, 60)
  })

  it('takes an id_token_hint that oidc-provider has verified', async () => {
    const hints: Hint[] = []
    const find = ({ hint }: { hint: Hint }) => {
      hints.push(hint)
      return { sub: 'alice' }
    }
    const { ask, answer, result, post } = await start({ ciba: { users: { find } } })
    const { body } = await ask()
    await answer(body.link, 'approve')
    const { id_token } = (await result(body.auth_req_id)).body
    const again = await post('/backchannel', { scope: 'openid', id_token_hint: id_token, ...byLink })
    expect(again.status).to.equal(200)
    expect(hints[1]).to.deep.include({ type: 'sub', value: 'alice', claims: claimsIn(id_token) })
    await answer(again.body.link, 'approve')
    expect((await result(again.body.auth_req_id)).status).to.equal(200)
    expect((await post('/backchannel', { scope: 'openid', id_token_hint: `${id_token}x` })).body.error).to.equal(
      'invalid_request',
    )
  })

  it('takes a login_hint_token, where there is a verifier', async () => {
    const loginHintToken = ({ token }: { token: string }) => ({
      type: 'login_hint_token' as const,
      value: token.slice(2),
    })
    const { post } = await start({ ciba: { requests: { loginHintToken } } })
    expect((await post('/backchannel', { scope: 'openid', login_hint_token: 'v:bob' })).status).to.equal(200)
    await host.close()
    const without = await start()
    const { body } = await without.post('/backchannel', { scope: 'openid', login_hint_token: 'v:bob' })
    expect(body.error).to.equal('invalid_request')
  })

  it('checks user codes before anybody is asked, and locks guessers out', async () => {
    const { ask, notices } = await start({
      client: { backchannel_user_code_parameter: true },
      ciba: {
        requests: { userCodes: true },
        users: { find: () => ({ sub: 'alice' }), checkUserCode: ({ user: _user, userCode: code }) => code === '1234' },
      },
    })
    expect((await ask()).body.error).to.equal('missing_user_code')
    for (let tries = 0; tries < 5; tries++)
      expect((await ask({ user_code: '0' })).body.error).to.equal('invalid_user_code')
    const locked = await ask({ user_code: '1234' })
    expect([locked.status, locked.body.error]).to.deep.equal([403, 'access_denied'])
    expect(notices).to.have.length(0)
  })

  it('refuses what is too much, and leaves nothing of it with oidc-provider', async () => {
    const { ask, rows, events } = await start({ ciba: { limits: { ...noLimits, openRequestsPerUser: 2 } } })
    for (const status of [200, 200, 403]) expect((await ask()).status).to.equal(status)
    expect([...rows.keys()].filter((key) => key.startsWith('BackchannelAuthenticationRequest:'))).to.have.length(2)
    expect(events.at(-1)).to.include({ type: 'request.refused', error: 'access_denied' })
  })

  it('limits what clients ask, with the status and the wait', async () => {
    const { ask } = await start({ ciba: { limits: { requestsPerClient: 1 } } })
    await ask()
    const { status, headers, body } = await ask()
    expect([status, body.error]).to.deep.equal([429, 'access_denied'])
    expect(Number(headers.get('retry-after'))).to.be.greaterThan(0)
  })

  it('says expired_token when no channel reaches the user, and when the request is cancelled', async () => {
    const send = () => {
      throw new ChannelError('undeliverable', 'no such number')
    }
    const { ask, result, ciba, events } = await start({
      ciba: {
        channels: [
          { name: 'sms', address: () => '+1', send },
          { name: 'link', returnsLink: true, address: () => '', send() {} },
        ],
      },
    })
    const unreached = await ask({ request_context: '{"channel":"sms","login_hint_type":"email"}' })
    expect((await result(unreached.body.auth_req_id)).body).to.deep.equal({
      error: 'expired_token',
      error_description: 'The request ended without an answer',
    })
    const cancelled = await ask()
    const accepted = events.filter((event) => event.type === 'request.accepted').at(-1)
    await ciba.backchannel.cancel(accepted?.request ?? '')
    expect((await result(cancelled.body.auth_req_id)).body.error).to.equal('expired_token')
  })

  it('keeps a client away from a user who did not start this', async () => {
    const { ask, answer, result } = await start()
    const { body } = await ask()
    await answer(body.link, 'not_me')
    expect((await result(body.auth_req_id)).body.error).to.equal('access_denied')
    expect((await ask()).body.error).to.equal('access_denied')
    expect((await ask({ login_hint: 'bob@example.com' })).status).to.equal(200)
  })

  it('tells oidc-provider again when it could not store the result, and only once when it could', async () => {
    const { ask, answer, result, rows, events } = await start({
      ciba: { delivery: { queue: inProcessQueue({ firstRetrySeconds: 0.02 }) } },
    })
    const { body } = await ask()
    let failures = 2
    const set = rows.set.bind(rows)
    rows.set = (key, row) => {
      if (row.grantId !== undefined && key.startsWith('Backchannel') && failures-- > 0)
        throw new Error('the database is away')
      return set(key, row)
    }
    await answer(body.link, 'approve')
    expect((await result(body.auth_req_id)).status).to.equal(200)
    expect(failures).to.equal(-1)
    expect(events.filter((event) => event.type === 'fault')).to.have.length(2)
  })

  it('gives up on a request that oidc-provider has lost', async () => {
    const lost: unknown[] = []
    const { ask, answer, rows } = await start({
      client: { client_name: undefined },
      ciba: { delivery: { onUndelivered: (undelivered) => void lost.push(undelivered.reason) } },
    })
    const { body } = await ask()
    rows.delete(`BackchannelAuthenticationRequest:${body.auth_req_id}`)
    expect(await answer(body.link, 'approve')).to.include('till')
    await until(() => lost.length > 0)
    expect(lost).to.deep.equal(['request_gone'])
  })

  it('answers with what is wrong when it was not mounted, or the store is away', async () => {
    const store = memoryStore()
    const { ask } = await start({ ciba: { store: { ...store, add: () => Promise.reject(new Error('away')) } } })
    const { status, body, headers } = await ask()
    expect([status, body.error]).to.deep.equal([503, 'temporarily_unavailable'])
    expect(headers.get('retry-after')).to.equal('5')
    const { backchannel } = createCibaFeature({
      errors,
      issuer: 'https://login.example.com',
      users: { find: () => undefined },
      signIn: { clientId: 'page' },
      logger: { info() {}, warn() {}, error() {} },
    })
    const session = (await backchannel.doctor()).find(({ check }) => check === 'session')
    expect(session?.detail).to.match(/mount routerFor\(provider\)/)
  })

  it('lets oidc-provider ping, and keeps the answer when nobody hears it', async () => {
    const pinged: unknown[] = []
    let status = 204
    const { ask, answer, result, events } = await start({
      client: {
        backchannel_token_delivery_mode: 'ping',
        backchannel_client_notification_endpoint: 'https://till.example.com/cb',
      },
      provider: {
        fetch: async (_url, init) => {
          pinged.push(JSON.parse(String(init?.body)))
          return new Response(null, { status })
        },
      },
    })
    const token = { client_notification_token: 'x'.repeat(32) }
    const heard = (await ask(token)).body
    await answer(heard.link, 'approve')
    await until(() => pinged.length === 1)
    expect(pinged).to.deep.equal([{ auth_req_id: heard.auth_req_id }])
    status = 401
    const unheard = (await ask(token)).body
    await answer(unheard.link, 'approve')
    await until(() => events.some((event) => event.type === 'delivery.failed' && event.reason === 'ping'))
    expect((await result(unheard.auth_req_id)).status).to.equal(200)
    expect(pinged).to.have.length(2)
  })

  it('shows authorization details, and grants them for the resource that was named', async () => {
    const client = { authorization_details_types: ['payment'] }
    const validate = () => {}
    const { ask, answer, result } = await start({
      client,
      ciba: {
        requests: {
          authorizationDetails: { payment: z.strictObject({ type: z.literal('payment'), payee: z.string() }) },
        },
      },
      provider: {
        features: {
          resourceIndicators: {
            enabled: true,
            useGrantedResource: () => true,
            getResourceServerInfo: () => ({ scope: 'pay', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
          },
          richAuthorizationRequests: {
            enabled: true,
            types: { payment: { validate } },
            authorizationDetailsForGrantSource: (_ctx, source) => source.rar,
            authorizationDetailsForAccessToken: (_ctx, _token, source) => source?.rar,
            authorizationDetailsForIntrospection: (_ctx, token) => token.rar,
          },
        },
      },
    })
    const details = [{ type: 'payment', payee: 'Merchant A' }]
    const target = { scope: 'openid pay', resource: 'https://api.example.com' }
    const { body } = await ask({ ...target, authorization_details: JSON.stringify(details) })
    expect(await answer(body.link, 'approve')).to.include('Merchant A')
    const tokens = (await result(body.auth_req_id)).body
    expect(tokens.authorization_details).to.deep.equal(details)
    expect(claimsIn(tokens.access_token)).to.include({ aud: 'https://api.example.com', scope: 'pay', sub: 'alice' })
    expect((await ask({ ...target, authorization_details: '[{"type":"payment"}]' })).body.error).to.equal(
      'invalid_authorization_details',
    )
  })

  it('works below a prefix, with the sign-in there', async () => {
    const { ask, answer, result, origin } = await start({ prefix: '/op' })
    const { body } = await ask()
    expect(body.link).to.match(new RegExp(`^${origin}/op/auth/backchannel/approve`))
    await answer(body.link, 'approve')
    expect((await result(body.auth_req_id)).status).to.equal(200)
    await host.close()
    const other = await start({ prefix: '/op', ciba: { session: undefined, signIn: { clientId: 'page' } } as never })
    const device = deviceOf(undefined)
    const opened = await device.open((await other.ask()).body.link)
    const login = new URL(opened.response.headers.get('location') ?? '', other.origin)
    expect(login.pathname).to.equal('/op/auth')
    expect(login.searchParams.get('redirect_uri')).to.equal(`${other.origin}/op/auth/backchannel/signed-in`)
    const back = await device.go(`${login.searchParams.get('redirect_uri')}?state=${login.searchParams.get('state')}`)
    expect(back.headers.get('location')).to.equal(`${new URL(opened.url).pathname}?again`)
  })

  it('has a doctor that finds the page, and looks for no endpoints of ours', async () => {
    const { app, ciba } = await start({ prefix: '/op' })
    const findings = await ciba.backchannel.doctor({ app })
    const mount = findings.find(({ check }) => check === 'mount')
    expect(mount).to.include({ result: 'pass' })
    expect(findings.filter(({ check, result }) => check === 'discovery' || result === 'fail')).to.deep.equal([])
  })

  it('asks for the login that is needed', async () => {
    const { ask } = await start({
      client: { default_max_age: 60 },
      ciba: { session: undefined, signIn: { clientId: 'page' }, requests: { acrValues: ['urn:test:pwd'] } } as never,
      provider: { acrValues: ['urn:test:pwd'] },
    })
    const device = deviceOf(undefined)
    const { response } = await device.open((await ask({ acr_values: 'urn:test:pwd' })).body.link)
    const { searchParams } = new URL(response.headers.get('location') ?? '')
    expect(Object.fromEntries(searchParams)).to.include({
      response_type: 'none',
      prompt: 'login',
      scope: 'openid',
      acr_values: 'urn:test:pwd',
    })
  })

  it('finds out when the two servers do not mean the same user', async () => {
    const { ask, events } = await start({
      provider: { findAccount: () => ({ accountId: 'somebody', claims: () => ({ sub: 'somebody' }) }) },
    })
    expect((await ask()).body.error).to.equal('server_error')
    const refused = events.find((event) => event.type === 'request.refused')
    expect(String(refused?.cause)).to.match(/"users.find" and findAccount/)
  })

  it('stops the start for options that have no meaning here', () => {
    const options: CibaFeatureOptions = {
      errors,
      issuer: 'https://login.example.com',
      users: { find: () => undefined },
      secret: 'x'.repeat(32),
      logger: { info() {}, warn() {}, error() {} },
    }
    expect(() => createCibaFeature(options)).to.throw(TypeError, 'option "signIn" is missing')
    expect(() => createCibaFeature({ ...options, errors: {} } as never)).to.throw(TypeError, 'option "errors"')
    const signIn = { clientId: 'page' }
    expect(() => createCibaFeature({ ...options, signIn, expirySecond: 5 } as never)).to.throw(
      TypeError,
      'expirySecond',
    )
    expect(createCibaFeature({ ...options, signIn }).feature).to.include.keys('enabled', 'processLoginHint')
  })
})
