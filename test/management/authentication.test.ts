import { expect } from 'chai'
import { z } from 'zod'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { makeCertificate } from '../helpers/certificates.ts'
import { clients } from '../helpers/host.ts'
import { notificationToken } from '../helpers/notified.ts'

const path = '/backchannel/authentication'
const secret = 'a:b c+d%-0123456789-0123456789'

describe('POST /api/:serviceId/backchannel/authentication', () => {
  const authority = makeCertificate({ subject: '/CN=Bank authority', authority: true })
  const certificate = makeCertificate({ subject: '/O=Corner Bank/CN=mtls', issuer: authority })
  let host: AuthleteHost
  before(async () => {
    host = await startAuthlete({
      delivery: { modes: ['poll', 'ping'] },
      requests: {
        scopes: ['openid', 'profile', 'phone', 'payments'],
        acrValues: ['urn:loa:2', 'urn:loa:3'],
        userCodes: true,
        resources: { 'https://api.example.com/': {} },
        authorizationDetails: { payment: z.strictObject({ type: z.string() }).catchall(z.unknown()) },
      },
      users: { find: () => undefined, checkUserCode: () => false },
      management: {
        serviceAttributes: { tier: 'gold' },
        clientAttributes: ({ client: { client_id } }) => (client_id === '4711' ? { branch: '7' } : undefined),
      },
      clients: {
        find: ({ clientId: id }) =>
          [
            ...clients,
            {
              ...clients[0],
              client_id: '4711',
              client_name: 'Corner Bank',
              backchannel_token_delivery_mode: 'ping' as const,
              backchannel_client_notification_endpoint: 'https://client.example/cb',
              backchannel_user_code_parameter: true,
            },
            { ...clients[0], client_id: 'odd', client_secret: secret },
            {
              ...clients[0],
              client_id: 'mtls',
              token_endpoint_auth_method: 'tls_client_auth' as const,
              tls_client_auth_subject_dn: 'CN=mtls,O=Corner Bank',
            },
          ].find(({ client_id }) => client_id === id),
      },
    })
  })
  after(() => host?.close())

  const form = (parameters: Record<string, string>) => new URLSearchParams(parameters).toString()
  const plain = form({ scope: 'openid', login_hint: 'alice' })
  const asked = async (body: object): Promise<Record<string, unknown>> => (await host.post(path, body))[1]
  const till = { clientId: 'till', clientSecret: clients[0]?.client_secret }

  it('answers with every member', async () => {
    const payment = { type: 'payment', actions: ['pay'], datatypes: ['account'], identifier: 'x', amount: { eur: 5 } }
    const parameters = form({
      scope: 'openid profile phone',
      login_hint: 'alice',
      acr_values: 'urn:loa:3 urn:loa:9',
      binding_message: 'W4SCT',
      user_code: '1234',
      requested_expiry: '90',
      request_context: '{"channel":"sms","till":"7"}',
      resource: 'https://api.example.com/',
      authorization_details: JSON.stringify([payment]),
      client_notification_token: notificationToken,
    })
    const { ticket, claimNames, ...rest } = await asked({ ...till, clientId: '4711', parameters })
    expect(ticket).to.match(/^[\w-]{59}$/)
    expect(claimNames).to.include.members(['name', 'family_name', 'phone_number', 'phone_number_verified'])
    expect(rest).to.deep.equal({
      resultCode: 'A179001',
      resultMessage: '[A179001] The request is valid. Find its user.',
      action: 'USER_IDENTIFICATION',
      clientId: 4711,
      clientIdAliasUsed: false,
      clientEntityIdUsed: false,
      metadataDocumentUsed: false,
      clientName: 'Corner Bank',
      clientAuthMethod: 'CLIENT_SECRET_BASIC',
      deliveryMode: 'PING',
      scopes: ['openid', 'profile', 'phone'].map((name) => ({ name, defaultEntry: false })),
      clientNotificationToken: notificationToken,
      acrs: ['urn:loa:3'],
      hintType: 'LOGIN_HINT',
      hint: 'alice',
      bindingMessage: 'W4SCT',
      userCode: '1234',
      userCodeRequired: true,
      requestedExpiry: 90,
      requestContext: '{"channel":"sms","till":"7"}',
      resources: ['https://api.example.com/'],
      authorizationDetails: {
        elements: [
          {
            type: 'payment',
            actions: ['pay'],
            dataTypes: ['account'],
            identifier: 'x',
            otherFields: '{"amount":{"eur":5}}',
          },
        ],
      },
      serviceAttributes: [{ key: 'tier', value: 'gold' }],
      clientAttributes: [{ key: 'branch', value: '7' }],
    })
  })

  it('leaves out what is not there, and says 0 and false where Authlete does', async () => {
    const { ticket: _, ...rest } = await asked({ ...till, parameters: plain })
    expect(rest).to.include({
      requestedExpiry: 0,
      userCodeRequired: false,
      clientIdAlias: 'till',
      clientIdAliasUsed: true,
    })
    expect(rest.clientId).to.satisfy(Number.isSafeInteger)
    for (const name of ['sub', 'acrs', 'bindingMessage', 'userCode', 'requestContext', 'resources', 'warnings']) {
      expect(rest).not.to.have.property(name)
    }
  })

  it('reads a form as well, and takes null for absent', async () => {
    const [status, answer] = await host.post(path, new URLSearchParams({ ...(till as object), parameters: plain }))
    expect([status, answer.action]).to.deep.equal([200, 'USER_IDENTIFICATION'])
    const nulls = {
      clientCertificate: null,
      clientCertificatePath: null,
      oauthClientAttestation: null,
      cimdOptions: null,
    }
    expect((await asked({ ...till, parameters: plain, ...nulls })).action).to.equal('USER_IDENTIFICATION')
  })

  it('takes user and password of the header as they stood there', async () => {
    const clientSecret = encodeURIComponent(secret).replaceAll('%20', '+')
    expect((await asked({ clientId: 'odd', clientSecret, parameters: plain })).action).to.equal('USER_IDENTIFICATION')
  })

  it('takes the certificate of the connection', async () => {
    const call = {
      parameters: `${plain}&client_id=mtls`,
      clientCertificate: certificate.cert,
      clientCertificatePath: [authority.cert],
    }
    expect(await asked(call)).to.include({ action: 'USER_IDENTIFICATION', clientAuthMethod: 'TLS_CLIENT_AUTH' })
    expect((await asked({ ...call, clientCertificate: authority.cert })).action).to.equal('UNAUTHORIZED')
    expect((await asked({ ...call, clientCertificate: 'nonsense' })).action).to.equal('INTERNAL_SERVER_ERROR')
  })

  it('names the subject of an ID token hint', async () => {
    const { ticket } = await asked({ ...till, parameters: plain })
    const { authReqId = '' } = await host.issue(String(ticket))
    await host.complete({ ticket: String(ticket) })
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId }
    const { idToken = '' } = await host.token(form(grant), till)
    const parameters = form({ scope: 'openid', id_token_hint: idToken })
    expect(await asked({ ...till, parameters })).to.include({ hintType: 'ID_TOKEN_HINT', hint: idToken, sub: 'alice' })
  })

  it('warns of what it does not know', async () => {
    const { warnings } = await asked({ ...till, parameters: plain, oauthClientAttestation: 'x', cimdOptions: {} })
    expect(warnings).to.have.length(2)
  })

  it('tells whose fault it is', async () => {
    const outcome = async (body: object) => {
      const { action, responseContent } = await asked(body)
      return `${action} ${JSON.parse(String(responseContent)).error}`
    }
    expect(await outcome(till)).to.equal('INTERNAL_SERVER_ERROR server_error')
    expect(await outcome({ parameters: '' })).to.equal('UNAUTHORIZED invalid_client')
    expect(await outcome({ ...till, clientSecret: 'x', parameters: plain })).to.equal('UNAUTHORIZED invalid_client')
    expect(await outcome({ ...till, parameters: 'scope=openid' })).to.equal('BAD_REQUEST invalid_request')
    expect(await outcome({ ...till, parameters: `${plain}&scope=openid` })).to.equal('BAD_REQUEST invalid_request')
    const withoutCode = {
      ...till,
      clientId: '4711',
      parameters: `${plain}&client_notification_token=${notificationToken}`,
    }
    expect(await outcome(withoutCode)).to.equal('BAD_REQUEST missing_user_code')
    const web = { clientId: 'web', clientSecret: clients[2]?.client_secret, parameters: plain }
    expect(await outcome(web)).to.equal('BAD_REQUEST unauthorized_client')
  })

  it('refuses members of another type', async () => {
    const [status, answer] = await host.post(path, { ...till, parameters: 7 })
    expect([status, answer.resultCode]).to.deep.equal([400, 'A001201'])
    expect(answer.resultMessage).to.equal('[A001201] parameters must be a string')
  })
})

describe('grant management at the management API', () => {
  it('is told to whoever has an issuer of their own', async () => {
    const host = await startAuthlete({ tokens: { issue: () => ({ access_token: 'x', expires_in: 60 }) } })
    try {
      const asked = { scope: 'openid', login_hint: 'alice', grant_management_action: 'merge', grant_id: 'g-1' }
      expect(await host.authenticate(asked)).to.include({ gmAction: 'MERGE', grantId: 'g-1' })
    } finally {
      await host.close()
    }
  })
})

describe('the limits on how often users are asked', () => {
  const limits = { failedHintsPerClient: 2, promptsPerClientAndUser: 3, denialSeconds: 30 }
  const asked = { scope: 'openid', login_hint: 'alice' }
  let host: AuthleteHost
  beforeEach(async () => {
    host = await startAuthlete({ limits: { ...limits } })
  })
  afterEach(() => host?.close())

  it('hold for tickets', async () => {
    for (const n of [1, 2, 3]) expect((await host.authenticate(asked)).ticket, `request ${n}`).to.be.a('string')
    const refused = await host.authenticate(asked)
    expect(refused.action).to.equal('BAD_REQUEST')
    expect(JSON.parse(refused.responseContent ?? '').error).to.equal('access_denied')
  })

  it('learn of users who do not exist', async () => {
    for (const login_hint of ['a', 'b']) {
      const { ticket = '' } = await host.authenticate({ ...asked, login_hint })
      await host.fail(ticket, 'UNKNOWN_USER_ID')
      await host.fail(ticket, 'UNKNOWN_USER_ID')
    }
    expect((await host.authenticate({ ...asked, login_hint: 'c' })).action).to.equal('BAD_REQUEST')
  })

  it('make a client wait whose request was denied', async () => {
    const { ticket = '' } = await host.authenticate(asked)
    await host.issue(ticket)
    await host.complete({ ticket, result: 'ACCESS_DENIED' })
    expect((await host.authenticate(asked)).action).to.equal('BAD_REQUEST')
    expect((await host.authenticate({ ...asked, login_hint: 'bob' })).action).to.equal('USER_IDENTIFICATION')
  })
})
