import { expect } from 'chai'
import type { Completion } from 'express-ciba'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { clientOf } from '../helpers/client.ts'
import { clients, type Host, type HostOptions, startHost } from '../helpers/host.ts'
import { type Notified, startNotified } from '../helpers/notified.ts'

describe('backchannel.complete', () => {
  let host: Host
  let authReqId: string
  let client: ReturnType<typeof clientOf>
  const start = async (options: HostOptions = {}, scope = 'openid email') => {
    host = await startHost(options)
    client = clientOf(host)
    authReqId = (await client.start({ scope, login_hint: 'alice' })).body.auth_req_id
  }
  afterEach(() => host.close())
  const complete = (members: object) =>
    host.router.backchannel.complete({ authReqId, result: 'AUTHORIZED', subject: 'alice', ...members } as Completion)
  const collect = async (members: object) => {
    await complete(members)
    return (await client.poll(authReqId)).body
  }
  const refusal = async (members: object) => {
    const thrown = await complete(members).catch((error) => error)
    return `${thrown.status} ${thrown.code}`
  }

  it('says what came of it, for a client that polls', async () => {
    await start()
    expect(await complete({})).to.deep.equal({
      action: 'NO_ACTION',
      result: 'AUTHORIZED',
      request: authReqId.slice(0, 16),
      clientId: 'till',
      clientName: 'Corner Bank till',
      deliveryMode: 'poll',
      authReqId,
      accessTokenDuration: 0,
      refreshTokenDuration: 0,
      idTokenDuration: 0,
    })
  })

  it('says what came of it, also while the registry of clients is out of reach', async () => {
    let down = false
    await start({
      clients: (id) => {
        if (down) throw new Error('the registry is down')
        return clients.find((each) => each.client_id === id)
      },
    })
    down = true
    expect(await complete({})).to.include({ result: 'AUTHORIZED', clientId: 'till' })
    down = false
    expect((await client.poll(authReqId)).status).to.equal(200)
  })

  it('puts sub, authTime, acr, amr and claims into the ID token, and the subject into the access token', async () => {
    await start()
    const { id_token, access_token } = await collect({
      sub: 'public-name',
      authTime: 1_700_000_000,
      acr: 'urn:acr:1',
      amr: ['pwd', 'otp'],
      claims: { given_name: 'Alice' },
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

  it('puts idtHeaderParams into the header of the ID token alone, and jwtAtClaims into the access token alone', async () => {
    await start()
    const { id_token, access_token } = await collect({
      idtHeaderParams: '{"region":"eu"}',
      jwtAtClaims: { tenant: 't1' },
    })
    expect(decodeProtectedHeader(id_token)).to.include({ region: 'eu', typ: 'JWT' })
    expect(decodeProtectedHeader(access_token)).to.include({ typ: 'at+jwt' }).and.not.have.property('region')
    expect(decodeJwt(access_token)).to.include({ tenant: 't1' })
    expect(decodeJwt(id_token)).not.to.have.property('tenant')
  })

  it('shows visible properties to the client, and keeps hidden ones', async () => {
    await start()
    const tokens = await collect({
      properties: [
        { key: 'shown', value: 'yes' },
        { key: 'kept', value: 'no', hidden: true },
      ],
    })
    expect(tokens).to.include({ shown: 'yes' }).and.not.have.property('kept')
  })

  it('narrows scopes', async () => {
    await start()
    expect(await collect({ scopes: ['openid'] })).to.include({ scope: 'openid' })
  })

  it('widens scopes only where the option says so', async () => {
    await start()
    expect(await refusal({ scopes: ['openid', 'phone'] })).to.equal('400 invalid_scope')
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
    await host.close()
    await start({ widerScopes: true })
    expect(await collect({ scopes: ['openid', 'phone'] })).to.include({ scope: 'openid phone' })
  })

  it('takes durations', async () => {
    await start()
    const { expires_in, access_token, id_token } = await collect({ accessTokenDuration: 60, idTokenDuration: 30 })
    expect(expires_in).to.equal(60)
    for (const [token, seconds] of [
      [access_token, 60],
      [id_token, 30],
    ] as const) {
      const { exp = 0, iat = 0 } = decodeJwt(token)
      expect(exp - iat).to.equal(seconds)
    }
  })

  it('makes aud of the ID token an array', async () => {
    await start()
    expect(decodeJwt((await collect({ idTokenAudType: 'array' })).id_token).aud).to.deep.equal(['till'])
  })

  it('uses an access token of the host in push mode alone', async () => {
    await start()
    expect((await collect({ accessToken: 'a'.repeat(40) })).access_token).not.to.equal('a'.repeat(40))
  })

  it('passes description and URI of a refusal on', async () => {
    await start()
    const refused = { result: 'ACCESS_DENIED', errorDescription: 'Not today', errorUri: 'https://a.example/no' }
    expect(await complete(refused)).to.include({ result: 'ACCESS_DENIED', action: 'NO_ACTION' })
    expect((await client.poll(authReqId)).body).to.deep.equal({
      error: 'access_denied',
      error_description: 'Not today',
      error_uri: 'https://a.example/no',
    })
  })

  it('changes nothing when something is wrong with it', async () => {
    await start()
    expect(await refusal({ claims: { iss: 'https://evil.example' } })).to.equal('400 invalid_request')
    expect(await refusal({ subject: 'bob' })).to.equal('403 access_denied')
    expect(await refusal({ result: 'ACCESS_DENIED', subject: 'bob' })).to.equal('403 access_denied')
    expect(await refusal({ resources: ['https://api.example'] })).to.equal('400 invalid_target')
    expect(await refusal({ authorizationDetails: [{ type: 'payment' }] })).to.equal('400 invalid_authorization_details')
    expect((await client.poll(authReqId)).body.error).to.equal('authorization_pending')
  })

  it('repeats itself when repeated, and refuses another answer', async () => {
    await start()
    await complete({})
    expect(await complete({})).to.include({ result: 'AUTHORIZED' })
    expect(await refusal({ result: 'ACCESS_DENIED' })).to.equal('409 invalid_request')
  })

  it('knows no request by a handle of another kind', async () => {
    await start()
    const thrown = await host.router.backchannel
      .complete({ ticket: authReqId, result: 'AUTHORIZED', subject: 'alice' })
      .catch((error) => error)
    expect(thrown).to.include({ status: 404 })
  })
})

describe('backchannel.complete, for clients that are told', () => {
  let notified: Notified
  afterEach(() => notified.close())
  const complete = (members: object) => notified.host.router.backchannel.complete(members as Completion)

  it('returns the ping', async () => {
    notified = await startNotified('ping')
    const authReqId = await notified.start()
    expect(await complete({ authReqId, result: 'TRANSACTION_FAILED' })).to.deep.include({
      action: 'NOTIFICATION',
      result: 'TRANSACTION_FAILED',
      responseContent: JSON.stringify({ auth_req_id: authReqId }),
      clientNotificationEndpoint: notified.receiver.url,
      clientNotificationToken: 'notification-token-0123456789-abcdef',
      authReqId,
    })
  })

  it('returns the very tokens that are pushed', async () => {
    notified = await startNotified('push')
    const authReqId = await notified.start()
    const completed = await complete({ authReqId, result: 'AUTHORIZED', subject: 'alice', accessTokenDuration: 77 })
    const [call] = await notified.receiver.received(1)
    const body = JSON.parse(call?.body ?? '')
    expect(body).to.deep.include({ access_token: completed.accessToken, id_token: completed.idToken, expires_in: 77 })
    expect(completed.responseContent).to.equal(call?.body)
    expect(completed).to.include({
      action: 'NOTIFICATION',
      accessTokenDuration: 77,
      idTokenDuration: 3600,
      refreshTokenDuration: 0,
      jwtAccessToken: completed.accessToken,
    })
  })

  it("pushes the host's own access token, named by the ID token", async () => {
    notified = await startNotified('push')
    const authReqId = await notified.start()
    const accessToken = 'host-made-'.repeat(4)
    const completed = await complete({ authReqId, result: 'AUTHORIZED', subject: 'alice', accessToken })
    const body = JSON.parse((await notified.receiver.received(1))[0]?.body ?? '')
    expect(body.access_token).to.equal(accessToken)
    expect(decodeJwt(body.id_token).at_hash).to.be.a('string')
    expect(completed).to.include({ accessToken }).and.not.have.property('jwtAccessToken')
  })

  it('returns the error that is pushed', async () => {
    notified = await startNotified('push')
    const authReqId = await notified.start()
    const said = { errorDescription: 'Not today', errorUri: 'https://a.example/no' }
    const { responseContent } = await complete({ authReqId, result: 'ACCESS_DENIED', ...said })
    expect(JSON.parse(responseContent ?? '')).to.deep.equal({
      auth_req_id: authReqId,
      error: 'access_denied',
      error_description: 'Not today',
      error_uri: 'https://a.example/no',
    })
    expect((await notified.receiver.received(1))[0]?.body).to.equal(responseContent)
  })
})
