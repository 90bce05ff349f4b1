import { expect } from 'chai'
import { type ClientMetadata, readClient } from 'express-ciba'
import { bindingAtToken } from '../../lib/protocol/authorization/keyBinding.ts'
import { callWith } from '../helpers/authentication.ts'
import { contextFor } from '../helpers/context.ts'
import { makeDpopKey } from '../helpers/dpop.ts'

const context = contextFor()
const key = await makeDpopKey()

interface Shown extends Partial<ClientMetadata> {
  /** `x5t#S256` of a client certificate. */
  readonly thumbprint?: string
  /** Is there a proof by the key? */
  readonly proof?: boolean
}

/** @param senderConstrained Does the server demand a key? */
async function bindingOf(senderConstrained: boolean, { thumbprint, proof = false, ...registered }: Shown = {}) {
  const ctx = { ...context, rules: { ...context.rules, senderConstrained } }
  const client = readClient({ client_id: 'till', client_secret: 'x', ...registered })
  const call = callWith({})
  const dpop = proof ? [(await key.proof(call.url)).dpop] : []
  return bindingAtToken(ctx, { ...call, dpop }, client, thumbprint).catch(({ code }) => code)
}

describe('the key that tokens are bound to', () => {
  it('is the one of the proof, else of the certificate where one of the two is demanded', async () => {
    expect(await bindingOf(false)).to.deep.equal({})
    expect(await bindingOf(false, { thumbprint: 'c' })).to.deep.equal({})
    expect(await bindingOf(true, { thumbprint: 'c' })).to.deep.equal({ certificateThumbprint: 'c' })
    expect(await bindingOf(true, { thumbprint: 'c', proof: true })).to.deep.equal({ dpopJkt: key.jkt })
    expect(await bindingOf(true)).to.equal('invalid_request')
  })

  it('is the one that the client registered', async () => {
    const mtls = { tls_client_certificate_bound_access_tokens: true }
    expect(await bindingOf(false, { ...mtls, thumbprint: 'c', proof: true })).to.deep.equal({
      certificateThumbprint: 'c',
    })
    expect(await bindingOf(false, { ...mtls, proof: true })).to.equal('invalid_request')
    expect(await bindingOf(false, { dpop_bound_access_tokens: true, thumbprint: 'c' })).to.equal('invalid_request')
  })
})
