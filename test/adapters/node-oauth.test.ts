import OAuth2Server from '@node-oauth/oauth2-server'
import { expect } from 'chai'
import type { GrantAnswer, GrantCall } from 'express-ciba'
import { cibaGrant } from 'express-ciba/adapters/node-oauth'

const tokens = { access_token: 'a', expires_in: 60, scope: 'openid email', token_type: 'Bearer', id_token: 'i' }

describe('cibaGrant', () => {
  const calls: GrantCall[] = []
  const handle = (answer: Partial<GrantAnswer>, request: object) => {
    const grantFor = async (call: GrantCall): Promise<GrantAnswer> => {
      calls.push(call)
      return { status: 200, headers: {}, body: tokens, ...answer }
    }
    const Grant = cibaGrant(OAuth2Server, { grantFor }) as unknown as new (
      options: object,
    ) => { handle(request: object, client: object): Promise<Record<string, unknown>> }
    return new Grant({ accessTokenLifetime: 60, model: { saveToken() {} } }).handle(request, { id: 'till' })
  }

  it('hands on what the client sent: parameters, credentials and proof', async () => {
    await handle({}, { body: { auth_req_id: 'x' }, headers: { authorization: 'Basic eA==', dpop: 'p.r.f' } })
    expect(calls.at(-1)).to.deep.equal({
      parameters: { auth_req_id: 'x' },
      authorization: 'Basic eA==',
      dpop: ['p.r.f'],
    })
  })

  it('makes of the tokens what oauth2-server writes, the refresh token included', async () => {
    const granted = await handle({ body: { ...tokens, refresh_token: 'r' }, sub: 'alice' }, { body: {} })
    expect(granted).to.deep.include({
      accessToken: 'a',
      refreshToken: 'r',
      scope: ['openid', 'email'],
      client: { id: 'till' },
      user: { id: 'alice' },
      id_token: 'i',
    })
    expect(await handle({}, { body: {} })).not.to.have.property('refreshToken')
  })
})
