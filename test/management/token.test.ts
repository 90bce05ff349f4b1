import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { makeDpopKey } from '../helpers/dpop.ts'
import { clients } from '../helpers/host.ts'

const path = '/auth/token'
const cibaGrant = 'urn:openid:params:grant-type:ciba'
const handedIn = 'handed-in-access-token-0123456789-0123456789'
const agent = { client_id: 'agent', client_secret: clients[1]?.client_secret ?? '' }

describe('POST /api/:serviceId/auth/token', () => {
  let host: AuthleteHost
  before(async () => {
    host = await startAuthlete({
      polling: { intervalSeconds: 5 },
      tokens: { issueRefreshToken: () => true },
      requests: { resources: { 'https://a.example/': {}, 'https://b.example/': {} } },
      clients: {
        find: ({ clientId: id }) =>
          clients
            .map((each) => ({ ...each, grant_types: [cibaGrant, 'refresh_token'] }))
            .find(({ client_id }) => client_id === id),
      },
    })
  })
  after(() => host?.close())

  const approved = async (completion: object = {}): Promise<Record<string, string>> => {
    const parameters = new URLSearchParams({ ...agent, scope: 'openid', login_hint: 'alice' })
    for (const each of ['https://a.example/', 'https://b.example/']) parameters.append('resource', each)
    const { ticket = '' } = await host.authenticate(parameters.toString())
    const { authReqId = '' } = await host.issue(ticket)
    await host.complete({ ticket, ...completion })
    return { grant_type: cibaGrant, auth_req_id: authReqId }
  }
  const form = (parameters: Record<string, string>) => new URLSearchParams({ ...agent, ...parameters }).toString()
  const served = async (parameters: Record<string, string>, more: object = {}) =>
    (await host.post(path, { parameters: form(parameters), ...more }))[1]

  it('answers with every member', async () => {
    const before = Date.now()
    const answer = await served({ ...(await approved()), resource: 'https://a.example/' })
    const body = JSON.parse(answer.responseContent)
    expect(answer.accessTokenExpiresAt).to.be.within(before + 3_600_000, Date.now() + 3_600_000)
    expect(answer.refreshTokenExpiresAt).to.be.within(before + 2_592_000_000, Date.now() + 2_592_000_000)
    const { accessTokenExpiresAt: _, refreshTokenExpiresAt: __, clientId, ...rest } = answer
    expect(clientId).to.satisfy(Number.isSafeInteger)
    expect(rest).to.deep.equal({
      resultCode: 'A050001',
      resultMessage: '[A050001] Tokens are issued',
      action: 'OK',
      responseContent: answer.responseContent,
      grantType: 'CIBA',
      clientIdAlias: 'agent',
      clientIdAliasUsed: true,
      clientEntityIdUsed: false,
      metadataDocumentUsed: false,
      clientName: 'Call centre',
      clientAuthMethod: 'CLIENT_SECRET_POST',
      subject: 'alice',
      scopes: ['openid'],
      resources: ['https://a.example/', 'https://b.example/'],
      accessTokenResources: ['https://a.example/'],
      accessToken: body.access_token,
      accessTokenDuration: 3600,
      jwtAccessToken: body.access_token,
      refreshToken: body.refresh_token,
      refreshTokenDuration: 2_592_000,
      refreshTokenScopes: ['openid'],
      idToken: body.id_token,
    })
  })

  it('takes what the call asks of the tokens, over what the completion asked', async () => {
    const completed = {
      properties: [
        { key: 'receipt', value: '42' },
        { key: 'shift', value: 'early' },
      ],
      jwtAtClaims: '{"limit":100,"currency":"EUR"}',
      accessTokenDuration: 900,
    }
    const answer = await served(await approved(completed), {
      properties: '[{"key":"shift","value":"late"},{"key":"note","value":"x","hidden":true}]',
      jwtAtClaims: '{"limit":50}',
      accessTokenDuration: 77,
      refreshTokenDuration: 78,
    })
    expect(JSON.parse(answer.responseContent)).to.include({ receipt: '42', shift: 'late', expires_in: 77 })
    expect(answer).to.include({ accessTokenDuration: 77, refreshTokenDuration: 78 })
    expect(answer.properties).to.deep.equal([
      { key: 'receipt', value: '42' },
      { key: 'shift', value: 'late' },
      { key: 'note', value: 'x', hidden: true },
    ])
    expect(decodeJwt(answer.accessToken)).to.include({ limit: 50, currency: 'EUR' })
  })

  it('hands out the access token that it is given', async () => {
    const answer = await served(await approved(), { accessToken: handedIn })
    expect(answer.accessToken).to.equal(handedIn)
    expect(answer).not.to.have.property('jwtAccessToken')
  })

  it('refreshes', async () => {
    const { refreshToken } = await served(await approved())
    const answer = await served(
      { grant_type: 'refresh_token', refresh_token: refreshToken },
      { accessTokenDuration: 77 },
    )
    expect(answer).to.include({ action: 'OK', grantType: 'REFRESH_TOKEN', subject: 'alice', accessTokenDuration: 77 })
  })

  it('checks the DPoP proof for the place that the caller says', async () => {
    const key = await makeDpopKey()
    const htu = 'https://gateway.example/token'
    const parameters = await approved()
    const { dpop } = await key.proof(htu)
    expect((await served(parameters, { dpop })).action).to.equal('BAD_REQUEST')
    const demanded = await served(parameters, { ...(await key.proof(htu)), htu, dpopNonceRequired: true })
    expect(JSON.parse(demanded.responseContent).error).to.equal('use_dpop_nonce')
    expect(demanded.dpopNonce).to.be.a('string')
    const proof = await key.proof(htu, { nonce: demanded.dpopNonce, htm: 'PUT' })
    const answer = await served(parameters, { ...proof, htu, htm: 'PUT', dpopNonceRequired: 'true' })
    expect(decodeJwt(answer.accessToken).cnf).to.deep.equal({ jkt: key.jkt })
  })

  it('has the proof made for our own endpoint, where the caller says nothing', async () => {
    const key = await makeDpopKey()
    const answer = await served(await approved(), await key.proof(`${host.origin}/token`))
    expect(JSON.parse(answer.responseContent).token_type).to.equal('DPoP')
  })

  it('says what keeps the client from its tokens', async () => {
    const outcome = async (parameters: Record<string, string>, more: object = {}) => {
      const { action, responseContent } = await served(parameters, more)
      return `${action} ${JSON.parse(responseContent).error}`
    }
    const { ticket = '' } = await host.authenticate({ scope: 'openid', login_hint: 'alice' })
    const { authReqId = '' } = await host.issue(ticket)
    const open = { grant_type: cibaGrant, auth_req_id: authReqId }
    expect(await outcome(open)).to.equal('BAD_REQUEST authorization_pending')
    expect(await outcome(open)).to.equal('BAD_REQUEST slow_down')
    expect(await outcome({ ...open, auth_req_id: 'x' })).to.equal('BAD_REQUEST invalid_grant')
    expect(await outcome({ ...open, client_secret: 'x' })).to.equal('INVALID_CLIENT invalid_client')
    expect(await outcome({ grant_type: 'password' })).to.equal('BAD_REQUEST unsupported_grant_type')
    host.pass(601)
    expect(await outcome(open)).to.equal('BAD_REQUEST expired_token')
    const wrong = { accessToken: 'guessable' }
    expect(await outcome(await approved(), wrong)).to.equal('INTERNAL_SERVER_ERROR server_error')
    expect((await host.post(path, {}))[1].action).to.equal('INTERNAL_SERVER_ERROR')
  })
})
