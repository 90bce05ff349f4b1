import { expect } from 'chai'
import type { Grant, IssueTokens } from 'express-ciba'
import { decodeJwt } from 'jose'
import { makeDpopKey } from '../helpers/dpop.ts'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, startIssuing } from '../helpers/tokens.ts'

describe('tokens of the host’s own', () => {
  let issuing: Issuing
  const start = async (options: HostOptions) => {
    issuing = await startIssuing({}, options)
  }
  afterEach(() => issuing.host.close())

  it('replace ours, with everything known about the grant', async () => {
    const grants: Grant[] = []
    await start({
      tokens: {
        issue: (grant) => {
          grants.push(grant)
          return { access_token: 'opaque', refresh_token: 'theirs', expires_in: 60, extra: 'kept' }
        },
      },
    })
    const body = await issuing.tokens({ scope: 'openid profile' }, { acr: 'mfa', authTime: 1_700_000_000 })
    const { id_token, ...rest } = body
    expect(rest).to.deep.equal({
      access_token: 'opaque',
      refresh_token: 'theirs',
      token_type: 'Bearer',
      expires_in: 60,
      scope: 'openid profile',
      extra: 'kept',
    })
    expect(decodeJwt(id_token)).to.include({ sub: 'alice', aud: 'till' })
    expect(grants[0]).to.deep.include({
      clientId: 'till',
      subject: 'alice',
      sub: 'alice',
      acr: 'mfa',
      authTime: 1_700_000_000,
    })
    expect(grants[0]).to.deep.include({ scope: ['openid', 'profile'], resources: [], binding: {} })
  })

  it('may bring an ID token, and a scope', async () => {
    await start({
      tokens: { issue: () => ({ access_token: 'a', id_token: 'theirs', scope: 'openid', token_type: 'Bearer' }) },
    })
    expect(await issuing.tokens({ scope: 'openid profile' })).to.include({ id_token: 'theirs', scope: 'openid' })
  })

  for (const [what, result] of [
    ['nothing', undefined],
    ['no access token', {}],
    ['a lifetime that is none', { access_token: 'a', expires_in: -1 }],
    ['another token type', { access_token: 'a', token_type: 'MAC' }],
    ['a token type that does not fit the grant', { access_token: 'a', token_type: 'DPoP' }],
  ] as const) {
    it(`are checked: ${what} is an error of the server, and the approval is not lost`, async () => {
      let wrong = true
      const issueTokens = (() => (wrong ? result : { access_token: 'a' })) as IssueTokens
      await start({ tokens: { issue: issueTokens } })
      const authReqId = await issuing.approved()
      const refused = await issuing.client.poll(authReqId)
      expect([refused.status, refused.body.error]).to.deep.equal([500, 'server_error'])
      wrong = false
      expect((await issuing.client.poll(authReqId)).status).to.equal(200)
    })
  }

  it('may fail: an outage, and the approval is not lost', async () => {
    let down = true
    await start({
      tokens: {
        issue: async () => {
          if (down) throw new Error('the issuer is down')
          return { access_token: 'a' }
        },
      },
    })
    const authReqId = await issuing.approved()
    expect((await issuing.client.poll(authReqId)).status).to.equal(503)
    expect(issuing.host.events.find(({ type }) => type === 'outage')).to.include({ of: 'tokens' })
    down = false
    expect((await issuing.client.poll(authReqId)).status).to.equal(200)
  })

  it('are bound by the host: it is told the key, and the type is said', async () => {
    let bound: unknown
    await start({
      tokens: {
        issue: ({ binding }) => {
          bound = binding
          return { access_token: 'a' }
        },
      },
    })
    const key = await makeDpopKey()
    const { body } = await issuing.client.poll(await issuing.approved(), {
      authorization: issuing.client.basic,
      ...(await key.proof(`${issuing.host.origin}/oidc/token`)),
    })
    expect(body.token_type).to.equal('DPoP')
    expect(bound).to.deep.equal({ dpopJkt: key.jkt })
  })

  it('manage grants: both members reach the issuer, and the id comes back', async () => {
    const asked: Partial<Grant>[] = []
    await start({
      tokens: {
        issue: ({ grantId, grantManagementAction }) => {
          asked.push({ ...(grantId && { grantId }), ...(grantManagementAction && { grantManagementAction }) })
          return { access_token: 'a', ...(grantId ? {} : { grant_id: 'new' }) }
        },
      },
    })
    expect((await issuing.tokens({ grant_management_action: 'create' })).grant_id).to.equal('new')
    const again = await issuing.tokens({ grant_management_action: 'merge', grant_id: 'g1' })
    expect(again.grant_id).to.equal('g1')
    expect(asked).to.deep.equal([
      { grantManagementAction: 'create' },
      { grantId: 'g1', grantManagementAction: 'merge' },
    ])
  })

  for (const [what, form] of [
    ['an unknown action', { grant_management_action: 'steal' }],
    ['an id that is too long', { grant_management_action: 'merge', grant_id: 'g'.repeat(513) }],
    ['a merge without an id', { grant_management_action: 'merge' }],
    ['an id without an action', { grant_id: 'g1' }],
    ['an id for a new grant', { grant_management_action: 'create', grant_id: 'g1' }],
  ] as const) {
    it(`manage no grants for ${what}`, async () => {
      await start({ tokens: { issue: () => ({ access_token: 'a' }) } })
      const { status, body } = await issuing.client.start({ scope: 'openid', login_hint: 'alice@example.com', ...form })
      expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
    })
  }

  it('are refreshed, revoked and introspected by the host', async () => {
    await start({
      tokens: { issue: () => ({ access_token: 'a', refresh_token: 'r'.repeat(81) }) },
      after: (app) =>
        app.post(['/oidc/token', '/oidc/revoke', '/oidc/introspect'], (_req, res) => void res.json({ theirs: true })),
    })
    const { refresh_token } = await issuing.tokens()
    for (const [path, form] of [
      ['/oidc/token', { grant_type: 'refresh_token', refresh_token }],
      ['/oidc/revoke', { token: refresh_token }],
      ['/oidc/introspect', { token: 'a' }],
    ] as const) {
      expect((await issuing.client.post(path, form)).body).to.deep.equal({ theirs: true })
    }
    const metadata = issuing.host.router.backchannel.metadata()
    expect(metadata.grant_types_supported).to.deep.equal(['urn:openid:params:grant-type:ciba'])
    expect(metadata).not.to.have.any.keys('revocation_endpoint', 'introspection_endpoint')
  })

  it('may be opaque access tokens alone, made by a hook', async () => {
    await start({ tokens: { accessToken: ({ client }) => (client.client_id === 'till' ? 'opaque-1' : undefined) } })
    const { access_token, id_token } = await issuing.tokens()
    expect(access_token).to.equal('opaque-1')
    expect(decodeJwt(id_token)).to.have.property('at_hash')
  })
})
