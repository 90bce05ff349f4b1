import { expect } from 'chai'
import { SignJWT } from 'jose'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, startIssuing } from '../helpers/tokens.ts'

const agent = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }
const offline = { scope: 'openid offline_access' }

describe('RFC 7009 and RFC 7662: revocation and introspection', () => {
  let issuing: Issuing
  let active: boolean
  const start = async (options: HostOptions = {}) => {
    active = true
    issuing = await startIssuing(
      { grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'] },
      { users: { find: () => ({ sub: 'alice', phone_number: '+1' }), isActive: () => active }, ...options },
    )
  }
  afterEach(() => issuing.host.close())
  const shown =
    (path: string) =>
    (token: string, more: Record<string, string> = {}) =>
      issuing.client.post(path, { token, ...more }, 'client_id' in more ? {} : { authorization: issuing.client.basic })
  const revoke = shown('/oidc/revoke')
  const introspect = shown('/oidc/introspect')
  const isActive = async (token: string) => (await introspect(token)).body.active
  const refresh = (refresh_token: string) =>
    issuing.client.post('/oidc/token', { grant_type: 'refresh_token', refresh_token })

  it('R7662-2.2-01 tells what an access token is worth', async () => {
    await start()
    const { access_token } = await issuing.tokens(offline, { acr: 'mfa' })
    const { status, headers, body } = await introspect(access_token)
    expect([status, headers.get('cache-control')]).to.deep.equal([200, 'no-store'])
    const { origin } = issuing.host
    expect(body).to.include({ active: true, iss: origin, aud: origin, sub: 'alice', client_id: 'till', acr: 'mfa' })
    expect(body).to.include({ scope: 'openid offline_access', token_type: 'Bearer' })
    expect(body).to.have.all.keys(
      'active',
      'iss',
      'aud',
      'sub',
      'client_id',
      'acr',
      'scope',
      'token_type',
      'iat',
      'exp',
      'jti',
    )
  })

  it('R7662-2.2-01 tells what a refresh token is worth', async () => {
    await start()
    const { refresh_token } = await issuing.tokens(offline)
    const { body } = await introspect(refresh_token)
    expect(body).to.include({ active: true, sub: 'alice', client_id: 'till', scope: 'openid offline_access' })
    expect(body.exp - body.iat).to.equal(30 * 86_400)
    await refresh(refresh_token)
    expect(await isActive(refresh_token)).to.equal(false)
  })

  it('R7662-2.2-01 says nothing but false of what is worth nothing', async () => {
    await start({ interop: { otherGrants: 'refuse' } })
    const { access_token, refresh_token } = await issuing.tokens(offline)
    const forged = await new SignJWT({ iss: issuing.host.origin, jti: `${'a'.repeat(16)}.${'b'.repeat(22)}` })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(new Uint8Array(32))
    for (const token of ['x', 'a.b.c', forged, `${access_token}x`, refresh_token.slice(0, -1)]) {
      expect((await introspect(token)).body).to.deep.equal({ active: false })
    }
    active = false
    for (const token of [access_token, refresh_token]) expect(await isActive(token)).to.equal(false)
    active = true
    issuing.host.pass(3600)
    expect(await isActive(access_token)).to.equal(false)
  })

  it('R7662-2.1-01 demands authentication, and tells others nothing', async () => {
    await start({ interop: { otherGrants: 'refuse' } })
    const { access_token } = await issuing.tokens(offline)
    const stranger = await issuing.client.post('/oidc/introspect', { token: access_token }, {})
    expect([stranger.status, stranger.body.error]).to.deep.equal([401, 'invalid_client'])
    expect((await introspect(access_token, agent)).body).to.deep.equal({ active: false })
    await issuing.host.close()
    await start({ tokens: { mayIntrospect: ({ client: { client_id } }) => client_id === 'agent' } })
    const token = (await issuing.tokens(offline)).access_token
    expect((await introspect(token, agent)).body.active).to.equal(true)
    expect(await isActive(token)).to.equal(false)
  })

  it('R7009-2-01 takes back an access token, and that alone', async () => {
    await start()
    const { access_token, refresh_token } = await issuing.tokens(offline)
    expect((await revoke(access_token, { token_type_hint: 'refresh_token' })).status).to.equal(200)
    expect(await isActive(access_token)).to.equal(false)
    expect((await refresh(refresh_token)).status).to.equal(200)
  })

  it('R7009-2.1-02 takes back a refresh token with every access token of its grant', async () => {
    await start()
    const first = await issuing.tokens(offline)
    const second = (await refresh(first.refresh_token)).body
    const other = await issuing.tokens(offline)
    expect((await revoke(second.refresh_token)).status).to.equal(200)
    expect(await isActive(first.access_token)).to.equal(false)
    expect(await isActive(second.access_token)).to.equal(false)
    expect((await refresh(second.refresh_token)).body.error).to.equal('invalid_grant')
    expect(await isActive(other.access_token)).to.equal(true)
    expect(issuing.host.events.filter(({ type }) => type === 'token.revoked')).to.have.length(1)
  })

  it('R7009-2.1-01 takes back the client’s own tokens only', async () => {
    await start()
    const { access_token, refresh_token } = await issuing.tokens(offline)
    for (const token of [access_token, refresh_token]) {
      const { status, body } = await revoke(token, agent)
      expect([status, body.error]).to.deep.equal([400, 'unauthorized_client'])
      expect(await isActive(token)).to.equal(true)
      expect((await issuing.client.post('/oidc/revoke', { token }, {})).status).to.equal(401)
    }
  })

  it('R7009-2.2-01 is content with a token that is not known, or was revoked before', async () => {
    await start({ interop: { otherGrants: 'refuse' } })
    const { refresh_token } = await issuing.tokens(offline)
    for (const token of ['unknown', refresh_token, refresh_token]) expect((await revoke(token)).status).to.equal(200)
  })

  it('leave the tokens of the host’s own to its next handlers, body intact', async () => {
    await start({
      after: (app) =>
        app.post(['/oidc/revoke', '/oidc/introspect'], (req, res) => {
          let text = ''
          req.setEncoding('utf8').on('data', (chunk) => {
            text += chunk
          })
          req.on('end', () => res.json({ theirs: text }))
        }),
    })
    for (const call of [revoke, introspect])
      expect((await call('theirs')).body).to.deep.equal({ theirs: 'token=theirs' })
  })

  it('refuse a call without a token, and other methods', async () => {
    await start()
    for (const path of ['/oidc/revoke', '/oidc/introspect']) {
      const { status, body } = await issuing.client.post(path, {})
      expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
      expect((await fetch(issuing.host.origin + path)).status).to.equal(405)
    }
  })
})
