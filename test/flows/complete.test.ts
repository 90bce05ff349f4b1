import { expect } from 'chai'
import type { ApproveInput, DenyInput, TokenChanges } from 'express-ciba'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { clients, type Host, type HostOptions, startHost } from '../helpers/host.ts'
import { type Notified, notificationToken, startNotified } from '../helpers/notified.ts'

describe('backchannel.approve, deny and fail', () => {
  let host: Host
  let authReqId: string
  let client: ReturnType<typeof clientOf>
  const start = async (options: HostOptions = {}, scope = 'openid email') => {
    host = await startHost(options)
    client = clientOf(host)
    authReqId = (await client.start({ scope, login_hint: 'alice' })).body.auth_req_id
  }
  afterEach(() => host.close())
  const approve = (members: Partial<ApproveInput> = {}) =>
    host.router.backchannel.approve({ request: authReqId, by: { sub: 'alice' }, ...members })
  const deny = (members: Partial<DenyInput> = {}) => host.router.backchannel.deny({ request: authReqId, ...members })
  const collect = async (members: Partial<ApproveInput> = {}) => {
    await approve(members)
    return (await client.poll(authReqId)).body
  }
  const collectWith = (tokens: TokenChanges) => collect({ tokens })
  const refusal = async (decided: Promise<unknown>) => {
    const thrown = await decided.catch((error: unknown) => error)
    const { status, code } = thrown as { status: unknown; code?: string }
    return code === undefined ? status : `${status} ${code}`
  }

  it('say how the request stands then', async () => {
    await start()
    const state = await approve()
    expect(state).to.deep.equal({
      request: authReqId.slice(0, 16),
      status: 'approved',
      clientId: 'till',
      sub: 'alice',
      receivedAt: state.receivedAt,
      expiresAt: state.receivedAt + 600_000,
      scope: ['openid', 'email'],
    })
    for (const [status, settle] of [
      ['denied', deny],
      ['failed', () => host.router.backchannel.fail({ request: authReqId, reason: 'timeout' })],
    ] as const) {
      authReqId = (await client.start()).body.auth_req_id
      expect(await settle()).to.deep.include({
        request: authReqId.slice(0, 16),
        status,
        clientId: 'till',
        sub: 'alice',
      })
    }
  })

  it('say so also while the registry of clients is out of reach', async () => {
    let down = false
    await start({
      clients: {
        find: ({ clientId: id }) => {
          if (down) throw new Error('the registry is down')
          return clients.find((each) => each.client_id === id)
        },
      },
    })
    down = true
    expect(await approve()).to.include({ status: 'approved', clientId: 'till' })
    down = false
    expect((await client.poll(authReqId)).status).to.equal(200)
  })

  it('put sub, authTime, acr, amr and claims into the ID token, and the subject into the access token', async () => {
    await start()
    const { id_token, access_token } = await collect({
      by: { sub: 'alice', authTime: 1_700_000_000, acr: 'urn:acr:1', amr: ['pwd', 'otp'] },
      tokens: { idTokenSub: 'public-name', claims: { given_name: 'Alice' } },
    })
    expect(decodeJwt(id_token)).to.deep.include({
      sub: 'public-name',
      auth_time: 1_700_000_000,
      acr: 'urn:acr:1',
      amr: ['pwd', 'otp'],
      given_name: 'Alice',
      aud: 'till',
    })
    expect(decodeJwt(access_token)).to.include({ sub: 'alice', auth_time: 1_700_000_000, acr: 'urn:acr:1' })
  })

  it('put idTokenHeader into the header of the ID token alone, and accessTokenClaims into the access token alone', async () => {
    await start()
    const { id_token, access_token } = await collectWith({
      idTokenHeader: { region: 'eu' },
      accessTokenClaims: { tenant: 't1' },
    })
    expect(decodeProtectedHeader(id_token)).to.include({ region: 'eu', typ: 'JWT' })
    expect(decodeProtectedHeader(access_token)).to.include({ typ: 'at+jwt' }).and.not.have.property('region')
    expect(decodeJwt(access_token)).to.include({ tenant: 't1' })
    expect(decodeJwt(id_token)).not.to.have.property('tenant')
  })

  it('show visible properties to the client, and keep hidden ones', async () => {
    await start()
    const tokens = await collectWith({
      properties: [
        { key: 'shown', value: 'yes' },
        { key: 'kept', value: 'no', hidden: true },
      ],
    })
    expect(tokens).to.include({ shown: 'yes' }).and.not.have.property('kept')
  })

  it('give the claims that the user agreed to, and no others', async () => {
    const users: HostOptions['users'] = {
      find: () => ({ sub: 'alice', phone_number: '+15550100' }),
      claims: () => ({ name: 'Alice', email: 'alice@example.com' }),
    }
    await start({ users }, 'openid email profile')
    const { id_token } = await collectWith({ consentedClaims: ['name'] })
    expect(decodeJwt(id_token)).to.include({ name: 'Alice' }).and.not.have.property('email')
  })

  it('narrow scopes', async () => {
    await start()
    expect(await collect({ scope: ['openid'] })).to.include({ scope: 'openid' })
  })

  it('widen scopes only where the option says so', async () => {
    await start()
    expect(await refusal(approve({ scope: ['openid', 'phone'] }))).to.equal('400 invalid_scope')
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
    await host.close()
    await start({ approval: { widerScopes: true } })
    expect(await collect({ scope: ['openid', 'phone'] })).to.include({ scope: 'openid phone' })
  })

  it('take lifetimes', async () => {
    const offline = ['urn:openid:params:grant-type:ciba', 'refresh_token']
    await start(
      { clients: { find: () => ({ ...clients[0], client_id: 'till', grant_types: offline }) } },
      'openid offline_access',
    )
    const { expires_in, access_token, id_token, refresh_token } = await collectWith({
      accessTokenSeconds: 60,
      idTokenSeconds: 30,
      refreshTokenSeconds: 90,
    })
    expect(expires_in).to.equal(60)
    for (const [token, seconds] of [
      [access_token, 60],
      [id_token, 30],
    ] as const) {
      const { exp = 0, iat = 0 } = decodeJwt(token)
      expect(exp - iat).to.equal(seconds)
    }
    host.pass(91)
    const refreshed = await client.post('/oidc/token', { grant_type: 'refresh_token', refresh_token })
    expect(refreshed.body.error).to.equal('invalid_grant')
  })

  it('make aud of the ID token an array', async () => {
    await start()
    expect(decodeJwt((await collectWith({ idTokenAudType: 'array' })).id_token).aud).to.deep.equal(['till'])
  })

  it('use an access token of the host in push mode alone', async () => {
    await start()
    expect((await collectWith({ accessToken: 'a'.repeat(40) })).access_token).not.to.equal('a'.repeat(40))
  })

  it('pass description and URI of a refusal on', async () => {
    await start()
    const refused = { errorDescription: 'Not today', errorUri: 'https://a.example/no' }
    expect(await deny(refused)).to.include({ status: 'denied' })
    expect((await client.poll(authReqId)).body).to.deep.equal({
      error: 'access_denied',
      error_description: 'Not today',
      error_uri: 'https://a.example/no',
    })
  })

  it('pass description and URI of a failure on', async () => {
    await start()
    const failed = { errorDescription: 'The till is closed', errorUri: 'https://a.example/closed' }
    expect(await host.router.backchannel.fail({ request: authReqId, reason: 'closed', ...failed })).to.include({
      status: 'failed',
    })
    expect((await client.poll(authReqId)).body).to.deep.equal({
      error: 'expired_token',
      error_description: 'The till is closed',
      error_uri: 'https://a.example/closed',
    })
  })

  it('change nothing when something is wrong with them', async () => {
    await start()
    expect(await refusal(approve({ tokens: { claims: { iss: 'https://evil.example' } } }))).to.equal(
      '400 invalid_request',
    )
    expect(await refusal(approve({ by: { sub: 'bob' } }))).to.equal('403 access_denied')
    expect(await refusal(deny({ by: { sub: 'bob' } }))).to.equal('403 access_denied')
    expect(await refusal(approve({ resources: ['https://api.example'] }))).to.equal('400 invalid_target')
    expect(await refusal(approve({ authorizationDetails: [{ type: 'payment' }] }))).to.equal(
      '400 invalid_authorization_details',
    )
    expect(await refusal(approve({ subject: 'alice' } as never))).to.equal('400 invalid_request')
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
  })

  it('repeat themselves when repeated, and refuse another answer', async () => {
    await start()
    await approve()
    expect(await approve()).to.include({ status: 'approved' })
    expect(await refusal(deny())).to.equal('409 invalid_request')
  })

  it('know a request by its auth_req_id, by the handle of its link, and by its public id', async () => {
    await start()
    const byLink = JSON.stringify({ channel: 'link', login_hint_type: 'user_id' })
    for (const name of ['authReqId', 'link', 'id'] as const) {
      const { body } = await client.start({ scope: 'openid', login_hint: 'alice', request_context: byLink })
      const link = new URL(body.link).searchParams.get('r') ?? ''
      const request = { authReqId: body.auth_req_id, link, id: body.auth_req_id.slice(0, 16) }[name]
      expect(await host.router.backchannel.approve({ request, by: { sub: 'alice' } }), name).to.include({
        status: 'approved',
      })
      expect((await client.poll(body.auth_req_id)).status).to.equal(200)
    }
  })

  it('know no request by a handle of another kind', async () => {
    await start()
    const other = `${authReqId.slice(0, 16)}${'A'.repeat(43)}`
    expect(await refusal(approve({ request: other }))).to.equal('404 invalid_request')
    expect(await refusal(deny({ request: 'x' }))).to.equal('404 invalid_request')
  })
})

describe('backchannel.approve, deny and fail, for clients that are told', () => {
  let notified: Notified
  afterEach(() => notified.close())
  const engine = () => notified.host.router.backchannel
  const told = async () => JSON.parse((await notified.receiver.received(1))[0]?.body ?? '')

  it('ping', async () => {
    notified = await startNotified('ping')
    const request = await notified.start()
    expect(await engine().fail({ request, reason: 'timeout' })).to.include({ status: 'failed' })
    expect(await told()).to.deep.equal({ auth_req_id: request })
    expect(notified.receiver.calls[0]?.headers.authorization).to.equal(`Bearer ${notificationToken}`)
  })

  it('push tokens that live as long as the approval says', async () => {
    notified = await startNotified('push')
    const request = await notified.start()
    await engine().approve({ request, by: { sub: 'alice' }, tokens: { accessTokenSeconds: 77 } })
    const { access_token, id_token, expires_in } = await told()
    expect(expires_in).to.equal(77)
    const [access, id] = [decodeJwt(access_token), decodeJwt(id_token)]
    expect(Number(access.exp) - Number(access.iat)).to.equal(77)
    expect(Number(id.exp) - Number(id.iat)).to.equal(3600)
  })

  it("push the host's own access token, named by the ID token", async () => {
    notified = await startNotified('push')
    const request = await notified.start()
    const accessToken = 'host-made-'.repeat(4)
    await engine().approve({ request, by: { sub: 'alice' }, tokens: { accessToken } })
    const body = await told()
    expect(body.access_token).to.equal(accessToken)
    expect(decodeJwt(body.id_token).at_hash).to.be.a('string')
  })

  it('push the error', async () => {
    notified = await startNotified('push')
    const request = await notified.start()
    await engine().deny({ request, errorDescription: 'Not today', errorUri: 'https://a.example/no' })
    expect(await told()).to.deep.equal({
      auth_req_id: request,
      error: 'access_denied',
      error_description: 'Not today',
      error_uri: 'https://a.example/no',
    })
  })
})
