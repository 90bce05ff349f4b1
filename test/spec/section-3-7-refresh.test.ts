import { expect } from 'chai'
import { type ClientMetadata, memoryStore, readClient } from 'express-ciba'
import { decodeJwt } from 'jose'
import { hashOf } from '../../lib/core/crypto/handles.ts'
import { fromParsed } from '../../lib/core/http/form.ts'
import { refresh as serveRefresh } from '../../lib/protocol/token/refreshGrant.ts'
import { makeRefreshToken } from '../../lib/protocol/token/refreshToken.ts'
import { grantRecord } from '../../lib/testing/records.ts'
import { contextFor } from '../helpers/context.ts'
import { makeDpopKey } from '../helpers/dpop.ts'
import type { HostOptions } from '../helpers/host.ts'
import { type Issuing, startIssuing } from '../helpers/tokens.ts'

const refreshing: Partial<ClientMetadata> = {
  grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
}
const offline = { scope: 'openid profile offline_access' }
const agent = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }

describe('RFC 6749 6: refresh tokens', () => {
  let issuing: Issuing
  afterEach(() => issuing.host.close())
  const start = async (options: HostOptions = {}, till: Partial<ClientMetadata> = refreshing) => {
    issuing = await startIssuing(till, {
      requests: { scopes: ['openid', 'profile', 'offline_access', 'read', 'write'] },
      ...options,
    })
  }
  const refresh = (refresh_token: string, more: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    issuing.client.post(
      '/oidc/token',
      { grant_type: 'refresh_token', refresh_token, ...more },
      'client_id' in more ? headers : { authorization: issuing.client.basic, ...headers },
    )
  const says = async (answer: ReturnType<typeof refresh>) => {
    const { status, body } = await answer
    return status === 200 ? 'tokens' : `${status} ${body.error}`
  }
  const last = (type: string) => issuing.host.events.findLast((each) => each.type === type)

  it('OIDC-11-01 are issued for offline_access, to clients registered for them, or by the host’s own rule', async () => {
    await start()
    expect((await issuing.tokens(offline)).refresh_token).to.match(/^[\w-]{81}$/)
    expect(await issuing.tokens({ scope: 'openid' })).not.to.have.property('refresh_token')
    await issuing.host.close()
    await start({}, { grant_types: ['urn:openid:params:grant-type:ciba'] })
    expect(await issuing.tokens(offline)).not.to.have.property('refresh_token')
    await issuing.host.close()
    await start({ tokens: { issueRefreshToken: ({ scope }) => scope.includes('read') } })
    expect(await issuing.tokens({ scope: 'openid read' })).to.have.property('refresh_token')
    expect(await issuing.tokens(offline)).not.to.have.property('refresh_token')
  })

  it('live no longer than their family may, the first one included', async () => {
    await start({ tokens: { lifetimes: { refreshTokenSeconds: 1000, refreshFamilySeconds: 100 } } })
    const { refresh_token } = await issuing.tokens(offline)
    issuing.host.pass(101)
    expect(await says(refresh(refresh_token))).to.equal('400 invalid_grant')
  })

  it('OIDC-12-02 keep iss, sub, aud and auth_time in the ID token, with a new iat and no nonce', async () => {
    await start()
    const before = await issuing.tokens(offline, { authTime: 1_700_000_000, acr: 'mfa' })
    issuing.host.pass(60)
    const { status, headers, body } = await refresh(before.refresh_token)
    expect([status, headers.get('cache-control')]).to.deep.equal([200, 'no-store'])
    const [old, fresh] = [decodeJwt(before.id_token), decodeJwt(body.id_token)]
    const { iss, sub, aud, auth_time, acr } = old
    expect(fresh).to.deep.include({ iss, sub, aud, auth_time, acr }).and.not.to.have.property('nonce')
    expect(Number(fresh.iat) - Number(old.iat)).to.be.within(59, 65)
    expect(body.access_token).not.to.equal(before.access_token)
    expect(decodeJwt(body.access_token)).to.include({ sub: 'alice', client_id: 'till', scope: offline.scope })
  })

  it('R6749-6-01 leave scope out, and never widen it; what was left out may be asked for next time', async () => {
    await start()
    const { refresh_token } = await issuing.tokens({ scope: 'openid read offline_access' })
    const less = (await refresh(refresh_token, { scope: 'read' })).body
    expect(less.scope).to.equal('read')
    expect(less).not.to.have.property('id_token')
    expect(await says(refresh(less.refresh_token, { scope: 'read write' }))).to.equal('400 invalid_scope')
    expect((await refresh(less.refresh_token)).body.scope).to.equal('openid read offline_access')
  })

  it('OIDC-12-01, R6749-6-01 belong to one client, which has to authenticate', async () => {
    await start()
    const { refresh_token } = await issuing.tokens(offline)
    expect(await says(refresh(refresh_token, {}, { authorization: 'Basic eDp5' }))).to.equal('401 invalid_client')
    expect(await says(refresh(refresh_token, agent))).to.equal('400 unauthorized_client')
    await issuing.host.close()
    const store = memoryStore()
    const secret = 's'.repeat(32)
    await start({ store, secret })
    const stolen = (await issuing.tokens(offline)).refresh_token
    await issuing.host.close()
    await start({
      store,
      secret,
      clients: {
        find: ({ clientId: id }) =>
          id === 'agent' ? { ...agent, ...refreshing, token_endpoint_auth_method: 'client_secret_post' } : undefined,
      },
    })
    expect(await says(refresh(stolen, agent))).to.equal('400 invalid_grant')
  })

  it('are replaced by each use; one that was replaced ends the family and its access tokens', async () => {
    await start({ tokens: { lifetimes: { refreshGraceSeconds: 0 } } })
    const first = await issuing.tokens(offline)
    const second = (await refresh(first.refresh_token)).body
    const third = (await refresh(second.refresh_token)).body
    expect(await says(refresh(first.refresh_token))).to.equal('400 invalid_grant')
    expect(last('replay.seen')).to.deep.include({ what: 'refresh_token', clientId: 'till' })
    expect(await says(refresh(third.refresh_token))).to.equal('400 invalid_grant')
    const { body } = await issuing.client.post('/oidc/introspect', { token: third.access_token })
    expect(body).to.deep.equal({ active: false })
  })

  it('FAPI2-5.3.2.1-05 are taken once more within their grace, when the answer was lost', async () => {
    await start({ tokens: { lifetimes: { refreshGraceSeconds: 30 } } })
    const { refresh_token } = await issuing.tokens(offline)
    const lost = (await refresh(refresh_token)).body
    const again = (await refresh(refresh_token)).body
    expect(again.refresh_token).not.to.equal(lost.refresh_token)
    expect(await says(refresh(again.refresh_token))).to.equal('tokens')
    issuing.host.pass(31)
    expect(await says(refresh(refresh_token))).to.equal('400 invalid_grant')
  })

  it('of racing refreshes, one family stays', async () => {
    await start({ tokens: { lifetimes: { refreshGraceSeconds: 30 } } })
    const { refresh_token } = await issuing.tokens(offline)
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refresh_token)))
    const tokens = answers.filter(({ status }) => status === 200).map(({ body }) => body.refresh_token)
    const { client } = issuing
    const worth = await Promise.all(
      tokens.map(async (token) => (await client.post('/oidc/introspect', { token })).body),
    )
    expect(worth.filter(({ active }) => active)).to.have.length(1)
  })

  it('R9700-4.14-01 end with their time: after each use, and in all', async () => {
    await start({ tokens: { lifetimes: { refreshTokenSeconds: 100, refreshFamilySeconds: 250 } } })
    let { refresh_token: token } = await issuing.tokens(offline)
    for (let n = 0; n < 3; n++) {
      issuing.host.pass(80)
      const { status, body } = await refresh(token)
      expect(status, String(n)).to.equal(200)
      token = body.refresh_token
    }
    issuing.host.pass(20)
    expect(await says(refresh(token))).to.equal('400 invalid_grant')
  })

  it('ask for the account again, and end with it', async () => {
    let active = true
    await start({
      users: { find: () => ({ sub: 'alice', phone_number: '+1' }), isActive: () => active },
    })
    const { refresh_token } = await issuing.tokens(offline)
    active = false
    expect(await says(refresh(refresh_token))).to.equal('400 invalid_grant')
    active = true
    expect(await says(refresh(refresh_token))).to.equal('400 invalid_grant')
  })

  it('are not lost by a failure: of the claims, and of the store', async () => {
    let down = false
    const store = memoryStore()
    await start({
      store: {
        ...store,
        rotate: (...rotation) => (down ? Promise.reject(new Error('down')) : store.rotate(...rotation)),
      },
    })
    const { refresh_token } = await issuing.tokens(offline)
    down = true
    expect(await says(refresh(refresh_token))).to.equal('503 temporarily_unavailable')
    down = false
    expect(await says(refresh(refresh_token))).to.equal('tokens')
  })

  it('R9449-5-02 belong to the client and not to its DPoP key; bound tokens stay bound', async () => {
    await start()
    const url = `${issuing.host.origin}/oidc/token`
    const [key, other] = [await makeDpopKey(), await makeDpopKey()]
    const { body } = await issuing.client.poll(await issuing.approved(offline), {
      authorization: issuing.client.basic,
      ...(await key.proof(url)),
    })
    expect(await says(refresh(body.refresh_token))).to.equal('400 invalid_request')
    const fresh = (await refresh(body.refresh_token, {}, await other.proof(url))).body
    expect(fresh.token_type).to.equal('DPoP')
    expect(decodeJwt(fresh.access_token).cnf).to.deep.equal({ jkt: other.jkt })
  })

  it('R8707-2.2-01, R9396-6-01 narrow resources and details, and keep the rest for later', async () => {
    const api = ['https://a.example/', 'https://b.example/']
    await start({ requests: { resources: Object.fromEntries(api.map((uri) => [uri, {}])) } })
    const { client } = issuing
    const form = new URLSearchParams({ ...offline, login_hint: 'alice' })
    for (const uri of api) form.append('resource', uri)
    const { body } = await client.start(form.toString())
    await issuing.host.router.backchannel.approve({ request: body.auth_req_id, by: { sub: 'alice' } })
    const { refresh_token } = (await client.poll(body.auth_req_id)).body
    const one = (await refresh(refresh_token, { resource: 'https://a.example/' })).body
    expect(decodeJwt(one.access_token).aud).to.equal('https://a.example/')
    expect(await says(refresh(one.refresh_token, { resource: 'https://c.example/' }))).to.equal('400 invalid_target')
    expect(decodeJwt((await refresh(one.refresh_token)).body.access_token).aud).to.deep.equal(api)
  })

  it('leave the tokens of the host’s own to its next handler, and know their own', async () => {
    await start({
      after: (app) => app.post('/oidc/token', (_req, res) => void res.json({ from: 'the host' })),
    })
    expect((await refresh('a-token-of-the-host')).body).to.deep.equal({ from: 'the host' })
    expect((await refresh('x'.repeat(81))).body).to.deep.equal({ from: 'the host' })
    const { refresh_token } = await issuing.tokens(offline)
    expect(await says(refresh(refresh_token))).to.equal('tokens')
    issuing.host.pass(31 * 86_400)
    expect(await says(refresh(refresh_token))).to.equal('400 invalid_grant')
  })

  it('refuse a call without one', async () => {
    await start({ interop: { otherGrants: 'refuse' } })
    const call = issuing.client.post('/oidc/token', { grant_type: 'refresh_token' })
    expect(await says(call)).to.equal('400 invalid_request')
    expect(await says(refresh('unknown'))).to.equal('400 invalid_grant')
  })

  it('are stored as hashes only', async () => {
    const store = memoryStore()
    const kept: string[] = []
    await start({
      store: {
        ...store,
        addGrant: async (grant) => {
          kept.push(JSON.stringify(grant))
          await store.addGrant(grant)
        },
      },
    })
    const { refresh_token } = await issuing.tokens(offline)
    expect(kept).to.have.length(1)
    expect(kept[0]).not.to.include(refresh_token.slice(16, 59))
  })
})

describe('FAPI 2: refresh tokens', () => {
  it('FAPI2-5.3.2.1-05 do not rotate', async () => {
    const ctx = contextFor({ profile: 'fapi2-ciba' })
    const client = readClient({ client_id: 'till', client_secret: 'x', ...refreshing })
    const { tokenHash: _, ...family } = { ...grantRecord(), clientId: 'till' }
    const token = makeRefreshToken(ctx, family.id)
    await ctx.store.addGrant({ ...family, tokenHash: hashOf(token) })
    const key = await makeDpopKey()
    const use = async (refresh_token: string) => {
      const { dpop = '' } = await key.proof(ctx.urls.token)
      const form = fromParsed({ grant_type: 'refresh_token', refresh_token })
      return serveRefresh(
        ctx,
        { form, dpop: [dpop], url: ctx.urls.token, certificate: () => undefined },
        client,
        undefined,
      )
    }
    for (let uses = 0; uses < 3; uses++) {
      const { status, body } = await use(token)
      expect([status, body.token_type, 'refresh_token' in body]).to.deep.equal([200, 'DPoP', false])
    }
    // of a time when they did rotate
    const another = makeRefreshToken(ctx, family.id)
    expect(await use(another).catch(({ code }) => code)).to.equal('invalid_grant')
  })
})
