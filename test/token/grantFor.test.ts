import { expect } from 'chai'
import { createBackchannel } from 'express-ciba'

describe('grantFor, for a server that is not Express', () => {
  const backchannel = createBackchannel({
    issuer: 'https://login.example.com',
    clients: { find: () => undefined },
    users: { find: () => undefined },
    logger: { info() {}, warn() {}, error() {} },
  })
  after(() => backchannel.close())

  it('answers a form that breaks the rules, and throws nothing', async () => {
    const { status, body } = await backchannel.grantFor({ parameters: { grant_type: ['a', 'b'] } })
    expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
  })
})
