import { expect } from 'chai'
import { type Call, readClient } from 'express-ciba'
import { createBindings } from '../../lib/protocol/authorization/keyBinding.ts'

const call = {} as Call
const bindingOf = (required: boolean, { jkt, thumbprint, ...registered }: Record<string, unknown> = {}) =>
  createBindings({ required, checkDpop: async () => jkt as string | undefined })
    .atToken(
      call,
      readClient({ client_id: 'till', client_secret: 'x', ...registered }),
      thumbprint as string | undefined,
    )
    .catch(({ code }) => code)

describe('the key that tokens are bound to', () => {
  it('is the one of the proof, else of the certificate where one of the two is demanded', async () => {
    expect(await bindingOf(false)).to.deep.equal({})
    expect(await bindingOf(false, { thumbprint: 'c' })).to.deep.equal({})
    expect(await bindingOf(true, { thumbprint: 'c' })).to.deep.equal({ certificateThumbprint: 'c' })
    expect(await bindingOf(true, { thumbprint: 'c', jkt: 'k' })).to.deep.equal({ dpopJkt: 'k' })
    expect(await bindingOf(true)).to.equal('invalid_request')
  })

  it('is the one that the client registered', async () => {
    const mtls = { tls_client_certificate_bound_access_tokens: true }
    expect(await bindingOf(false, { ...mtls, thumbprint: 'c', jkt: 'k' })).to.deep.equal({ certificateThumbprint: 'c' })
    expect(await bindingOf(false, { ...mtls, jkt: 'k' })).to.equal('invalid_request')
    expect(await bindingOf(false, { dpop_bound_access_tokens: true, thumbprint: 'c' })).to.equal('invalid_request')
  })
})
