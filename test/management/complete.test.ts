import { expect } from 'chai'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { clients } from '../helpers/host.ts'
import { notificationToken } from '../helpers/notified.ts'

const path = '/backchannel/authentication/complete'
const cibaGrant = 'urn:openid:params:grant-type:ciba'
const handedIn = 'handed-in-access-token-0123456789-0123456789'

describe('POST /api/:serviceId/backchannel/authentication/complete', () => {
  let host: AuthleteHost
  let away = false
  let beforeStored = () => {}
  let claims: () => object = () => ({ name: 'Alice', email: 'alice@example.com' })
  before(async () => {
    host = await startAuthlete({
      delivery: { modes: ['poll', 'ping', 'push'] },
      requests: { scopes: ['openid', 'profile', 'email', 'payments'] },
      approval: { widerScopes: true },
      users: {
        find: () => undefined,
        isActive: ({ sub }) => {
          beforeStored()
          return sub !== 'locked'
        },
        claims: () => claims() as never,
      },
      clients: {
        find: ({ clientId: id }) => {
          if (away) throw new Error('away')
          return [
            ...clients,
            {
              ...clients[1],
              client_id: 'push',
              backchannel_token_delivery_mode: 'push' as const,
              backchannel_client_notification_endpoint: 'https://client.example/cb',
            },
            {
              ...clients[1],
              client_id: 'ping',
              backchannel_token_delivery_mode: 'ping' as const,
              backchannel_client_notification_endpoint: 'https://client.example/cb',
            },
          ].find(({ client_id }) => client_id === id)
        },
      },
    })
  })
  after(() => host?.close())
  afterEach(() => {
    claims = () => ({ name: 'Alice', email: 'alice@example.com' })
    beforeStored = () => {}
    away = false
  })

  const issued = async (parameters: Record<string, string> = {}) => {
    const asked = { scope: 'openid profile email', login_hint: 'alice', ...parameters }
    const { ticket = '', responseContent } = await host.authenticate(asked)
    const { authReqId = '', action } = await host.issue(ticket)
    if (action !== 'OK') throw new Error(`not issued: ${responseContent}`)
    return { ticket, authReqId }
  }
  const pushed = () => issued({ client_id: 'push', client_notification_token: notificationToken })
  const complete = async (body: object): Promise<Record<string, unknown>> => {
    const [status, answer] = await host.post(path, { result: 'AUTHORIZED', subject: 'alice', ...body })
    expect(status).to.equal(200)
    return answer
  }
  const collect = async (authReqId: string) => {
    const { responseContent = '' } = await host.token({ grant_type: cibaGrant, auth_req_id: authReqId })
    return JSON.parse(responseContent)
  }

  const everything = {
    sub: 'another-name',
    authTime: 1_700_000_000,
    acr: 'urn:loa:3',
    claims: '{"department":"loans"}',
    properties: [
      { key: 'receipt', value: '42' },
      { key: 'note', value: 'for us', hidden: true },
    ],
    scopes: ['openid', 'profile', 'email', 'payments'],
    idtHeaderParams: '{"x-branch":"7"}',
    consentedClaims: ['name'],
    jwtAtClaims: '{"limit":100}',
    accessTokenDuration: 77,
    refreshTokenDuration: 78,
    idTokenAudType: 'array',
  }

  function expectEverything(body: Record<string, string>, accessToken: Record<string, unknown>): void {
    const idToken = decodeJwt(body.id_token ?? '')
    expect(idToken).to.include({
      sub: 'another-name',
      auth_time: 1_700_000_000,
      acr: 'urn:loa:3',
      department: 'loans',
      name: 'Alice',
    })
    expect(idToken).not.to.have.property('email')
    expect(idToken.aud).to.be.an('array')
    expect(decodeProtectedHeader(body.id_token ?? '')).to.include({ 'x-branch': '7' })
    expect(body).to.include({ receipt: '42', expires_in: 77, scope: 'openid profile email payments' })
    expect(body).not.to.have.property('note')
    expect(accessToken).to.include({ sub: 'alice', limit: 100 })
  }

  it('takes every member to the tokens that are collected', async () => {
    const { ticket, authReqId } = await issued()
    expect(await complete({ ticket, ...everything })).to.deep.include({
      resultCode: 'A198001',
      action: 'NO_ACTION',
      authReqId,
      accessTokenDuration: 0,
      refreshTokenDuration: 0,
      idTokenDuration: 0,
    })
    const body = await collect(authReqId)
    expectEverything(body, decodeJwt(body.access_token))
  })

  it('takes them from a form', async () => {
    const { ticket, authReqId } = await issued()
    const texts = Object.entries(everything).map(([name, value]): [string, string] => {
      if (name === 'scopes') return [name, everything.scopes.join(' ')]
      return [name, typeof value === 'object' ? JSON.stringify(value) : String(value)]
    })
    const form = new URLSearchParams([['ticket', ticket], ['result', 'AUTHORIZED'], ['subject', 'alice'], ...texts])
    expect((await host.post(path, form))[1].action).to.equal('NO_ACTION')
    const body = await collect(authReqId)
    expectEverything(body, decodeJwt(body.access_token))
  })

  it('takes null and empty text for absent', async () => {
    const { ticket, authReqId } = await issued()
    const nothing = Object.fromEntries(Object.keys(everything).map((name, n) => [name, n % 2 === 0 ? null : '']))
    const properties = [{ key: 'receipt', value: '42', hidden: null }]
    expect((await complete({ ticket, ...nothing, properties })).action).to.equal('NO_ACTION')
    expect(await collect(authReqId)).to.include({ receipt: '42', expires_in: 3600 })
  })

  it('makes the tokens of a push, with the access token that is handed in', async () => {
    const { ticket, authReqId } = await pushed()
    const completed = await complete({ ticket, ...everything, accessToken: handedIn })
    const body = JSON.parse(String(completed.responseContent))
    expect(body.access_token).to.equal(handedIn)
    expect(completed).to.deep.include({
      action: 'NOTIFICATION',
      clientName: 'Call centre',
      clientIdAlias: 'push',
      deliveryMode: 'PUSH',
      clientNotificationEndpoint: 'https://client.example/cb',
      clientNotificationToken: notificationToken,
      authReqId,
      accessToken: handedIn,
      idToken: body.id_token,
      accessTokenDuration: 77,
      idTokenDuration: 3600,
      refreshTokenDuration: 0,
    })
    expect(completed).not.to.have.any.keys('jwtAccessToken', 'refreshToken', 'request', 'result')
  })

  it('hands a minted access token out in both places', async () => {
    const { ticket } = await pushed()
    const { accessToken, jwtAccessToken } = await complete({ ticket, ...everything })
    expect(jwtAccessToken).to.equal(accessToken)
    expect(decodeJwt(String(accessToken))).to.include({ sub: 'alice', limit: 100 })
  })

  it('tells a push client of a fault, and makes the tokens when it is completed again', async () => {
    const { ticket, authReqId } = await pushed()
    claims = () => {
      throw new Error('away')
    }
    const failed = await complete({ ticket })
    expect(failed.action).to.equal('NOTIFICATION')
    expect(JSON.parse(String(failed.responseContent))).to.include({ error: 'server_error', auth_req_id: authReqId })
    claims = () => ({})
    expect(await complete({ ticket })).to.have.property('accessToken')
  })

  it('says what to send where while the registry of clients is out of reach: the answer is stored by then', async () => {
    const { ticket, authReqId } = await issued({ client_id: 'ping', client_notification_token: notificationToken })
    beforeStored = () => {
      away = true
    }
    const completed = await complete({ ticket })
    expect(completed).to.include({
      action: 'NOTIFICATION',
      responseContent: JSON.stringify({ auth_req_id: authReqId }),
      clientNotificationEndpoint: 'https://client.example/cb',
      clientNotificationToken: notificationToken,
    })
  })

  it('gives the ping of a failure, and what is pushed of a refusal', async () => {
    const ping = await issued({ client_id: 'ping', client_notification_token: notificationToken })
    expect(await complete({ ticket: ping.ticket, result: 'TRANSACTION_FAILED' })).to.include({
      action: 'NOTIFICATION',
      responseContent: JSON.stringify({ auth_req_id: ping.authReqId }),
      clientNotificationEndpoint: 'https://client.example/cb',
      clientNotificationToken: notificationToken,
      authReqId: ping.authReqId,
    })
    const push = await pushed()
    const said = { errorDescription: 'Not today', errorUri: 'https://a.example/no' }
    const { responseContent } = await complete({ ticket: push.ticket, result: 'ACCESS_DENIED', ...said })
    expect(JSON.parse(String(responseContent))).to.deep.equal({
      auth_req_id: push.authReqId,
      error: 'access_denied',
      error_description: 'Not today',
      error_uri: 'https://a.example/no',
    })
  })

  it('gives the reason of a refusal to the client', async () => {
    const why = { errorDescription: 'The till is closed.', errorUri: 'https://example.com/closed' }
    const told = { error_description: why.errorDescription, error_uri: why.errorUri }
    const push = await pushed()
    const { responseContent } = await complete({ ...why, ticket: push.ticket, result: 'ACCESS_DENIED' })
    expect(JSON.parse(String(responseContent))).to.include({ error: 'access_denied', ...told })
    const { ticket, authReqId } = await issued()
    await complete({ ...why, ticket, result: 'TRANSACTION_FAILED' })
    expect(await collect(authReqId)).to.include({ error: 'expired_token', ...told })
  })

  it('needs no subject for a refusal', async () => {
    const { ticket } = await issued()
    expect((await complete({ ticket, result: 'ACCESS_DENIED', subject: undefined })).action).to.equal('NO_ACTION')
  })

  it('changes nothing when the call is wrong, and says what is', async () => {
    const { ticket } = await issued()
    const wrong = async (body: object): Promise<unknown> => {
      const { action, resultMessage } = await complete({ ticket, ...body })
      return `${action} ${String(resultMessage).replace(/^\[A\d{6}\] /, '')}`
    }
    expect(await wrong({ subject: null })).to.equal('SERVER_ERROR The completion: subject is missing: say who agreed')
    expect(await wrong({ ticket: null })).to.equal('SERVER_ERROR ticket is missing')
    expect(await wrong({ result: 'MAYBE' })).to.contain('SERVER_ERROR The completion: result must be')
    expect(await wrong({ claims: '{"iss":"x"}' })).to.equal('SERVER_ERROR The completion: claims must not set "iss"')
    expect(await wrong({ claims: '[' })).to.contain('SERVER_ERROR The completion: claims must be a JSON object')
    expect(await wrong({ scopes: ['profile'] })).to.contain('SERVER_ERROR The completion: scopes must keep "openid"')
    expect(await wrong({ subject: 'locked' })).to.equal('SERVER_ERROR The user may not sign in any more')
    expect((await complete({ ticket })).action).to.equal('NO_ACTION')
  })

  it('takes the user whose sub the request demands, and nobody else', async () => {
    const wanted = JSON.stringify({ id_token: { sub: { value: 'alice' } } })
    const { ticket } = await issued({ claims: wanted })
    expect((await complete({ ticket, subject: 'bob' })).action).to.equal('SERVER_ERROR')
    expect((await complete({ ticket, subject: 'alice' })).action).to.equal('NO_ACTION')
  })

  it('lets nobody name a user who holds the auth_req_id alone', async () => {
    const { authReqId } = await issued()
    const approval = { request: authReqId, by: { sub: 'alice' } }
    const thrown = await host.backchannel.approve(approval).catch((error: unknown) => error)
    expect(thrown).to.include({ code: 'access_denied' })
  })
})
