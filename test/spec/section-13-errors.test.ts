import { expect } from 'chai'
import { clientOf, type Form } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const good = { scope: 'openid', login_hint: 'alice@example.com' }

describe('CIBA Core 13, RFC 6749 5.2: what a refusal looks like', () => {
  let host: Host
  before(async () => {
    host = await startHost({})
  })
  after(() => host.close())

  const table: [rules: string, what: string, path: string, form: Form, status: number, error: string][] = [
    ['CIBA-7.2-08', 'no scope', '/oidc/backchannel', { login_hint: 'alice' }, 400, 'invalid_request'],
    ['CIBA-7.2-04', 'two hints', '/oidc/backchannel', { ...good, id_token_hint: 'x' }, 400, 'invalid_request'],
    ['CIBA-13-02', 'an unknown scope', '/oidc/backchannel', { ...good, scope: 'openid all' }, 400, 'invalid_scope'],
    ['R6749-3.3-01', 'a quote in scope', '/oidc/backchannel', { ...good, scope: 'openid "' }, 400, 'invalid_scope'],
    ['R6749-3.3-01', 'two spaces in scope', '/oidc/backchannel', { ...good, scope: 'openid  a' }, 400, 'invalid_scope'],
    ['R6749-3.3-01', 'scope in capitals', '/oidc/backchannel', { ...good, scope: 'OPENID' }, 400, 'invalid_scope'],
    [
      'CIBA-13-08',
      'a message of control characters',
      '/oidc/backchannel',
      { ...good, binding_message: 'a\u0007b' },
      400,
      'invalid_binding_message',
    ],
    [
      'CIBA-11-01, OIDC-3.1.3.4-01',
      'no grant',
      '/oidc/token',
      { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'x' },
      400,
      'invalid_grant',
    ],
  ]
  for (const [rules, what, path, form, status, error] of table) {
    it(`${rules}, CIBA-7.2-10, CIBA-13-11, R6749-5.2-02 of ${what}`, async () => {
      const { body, headers, ...answer } = await clientOf(host).post(path, form)
      expect([answer.status, body.error]).to.deep.equal([status, error])
      expect(Object.keys(body)).to.have.members(['error', 'error_description'])
      expect(body.error_description).to.match(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
      expect(headers.get('content-type')).to.equal('application/json')
      expect(headers.get('cache-control')).to.equal('no-store')
    })
  }

  it('R6749-5.2-01 of a wrong Authorization header has a challenge, and of a wrong form none', async () => {
    const client = clientOf(host)
    const basic = await client.start(good, { authorization: `Basic ${Buffer.from('till:wrong').toString('base64')}` })
    expect([basic.status, basic.body.error]).to.deep.equal([401, 'invalid_client'])
    expect(basic.headers.get('www-authenticate')).to.match(/^Basic realm=/)
    const post = await client.start({ ...good, client_id: 'agent', client_secret: 'wrong' }, {})
    expect([post.status, post.headers.get('www-authenticate')]).to.deep.equal([401, null])
  })

  it('R7523-2.2-01 of two assertions: repeated, or as one', async () => {
    const client = clientOf(host)
    const type = 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const twice = await client.start(`${type}&client_assertion=a.b.c&client_assertion=a.b.c&scope=openid`, {})
    expect([twice.status, twice.body.error]).to.deep.equal([400, 'invalid_request'])
    for (const both of ['a.b.c a.b.c', 'a.b.c,a.b.c']) {
      const { status, body } = await client.start(`${type}&client_assertion=${encodeURIComponent(both)}`, {})
      expect([status, body.error]).to.deep.equal([401, 'invalid_client'])
    }
  })
})
