import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { checkRegistration } from '../../lib/protocol/client/registration.ts'
import { publicJwk } from '../helpers/authentication.ts'
import { contextFor } from '../helpers/context.ts'

const jwks_uri = 'https://till.example/jwks'
const endpoint = 'https://till.example/ciba'
const sector = 'https://group.example/sector.json'
const poll: ClientMetadata = {
  client_id: 'till',
  token_endpoint_auth_method: 'private_key_jwt',
  subject_type: 'pairwise',
  backchannel_token_delivery_mode: 'poll',
  jwks_uri,
}
const push: ClientMetadata = {
  client_id: 'till',
  client_secret: 'x',
  subject_type: 'pairwise',
  backchannel_token_delivery_mode: 'push',
  backchannel_client_notification_endpoint: endpoint,
}

describe('CIBA Core 4: registration with pairwise subjects', () => {
  let documents: Record<string, unknown>
  beforeEach(async () => {
    documents = { [jwks_uri]: { keys: [await publicJwk('ES256')] }, [sector]: [jwks_uri, endpoint] }
  })
  const context = contextFor()
  const ctx = {
    ...context,
    outbound: {
      ...context.outbound,
      getJson: async (url: string) => {
        if (documents[url] instanceof Error) throw documents[url]
        return documents[url]
      },
    },
  }
  const problem = (metadata: ClientMetadata) => checkRegistration(ctx, metadata).then(() => 'none', String)

  it('CIBA-4-19, CIBA-4-21..24 takes what fits together', async () => {
    expect(await problem(poll)).to.equal('none')
    for (const each of [poll, push]) expect(await problem({ ...each, sector_identifier_uri: sector })).to.equal('none')
  })

  for (const [what, document] of [
    ['nothing', undefined],
    ['no set', []],
    ['an empty set', { keys: [] }],
    ['private keys', { keys: [{ kty: 'EC', d: 'x' }] }],
  ] as const) {
    it(`CIBA-4-21 refuses a jwks_uri that holds ${what}`, async () => {
      documents[jwks_uri] = document
      expect(await problem(poll)).to.equal('TypeError: client "till": jwks_uri holds no public key')
    })
  }

  it('CIBA-4-21 refuses a jwks_uri that does not answer', async () => {
    documents[jwks_uri] = new Error('answered 404, not 200')
    expect(await problem(poll)).to.include('jwks_uri could not be read: answered 404')
  })

  it('CIBA-4-22, OIDC-8.1-02 refuses a sector whose list lacks the jwks_uri', async () => {
    documents[sector] = [endpoint]
    expect(await problem({ ...poll, sector_identifier_uri: sector })).to.include('lacks its jwks_uri')
  })

  it('CIBA-4-24 refuses a sector whose list lacks the notification endpoint', async () => {
    documents[sector] = [jwks_uri]
    expect(await problem({ ...push, sector_identifier_uri: sector })).to.include(
      'lacks its backchannel_client_notification_endpoint',
    )
  })

  it('CIBA-4-22 refuses a sector document that is no list, or does not answer', async () => {
    documents[sector] = { uris: [jwks_uri] }
    expect(await problem({ ...poll, sector_identifier_uri: sector })).to.include('holds no JSON array')
    documents[sector] = new Error('the address is private')
    expect(await problem({ ...poll, sector_identifier_uri: sector })).to.include('could not be read')
  })

  it('CIBA-4-20, CIBA-4-23 refuses what needs no document to be wrong', async () => {
    expect(await problem({ ...poll, jwks_uri: undefined, jwks: { keys: [await publicJwk('ES256')] } })).to.include(
      'sector_identifier_uri or jwks_uri is needed',
    )
    expect(
      await problem({ ...poll, token_endpoint_auth_method: 'client_secret_basic', client_secret: 'x' }),
    ).to.include('pairwise subjects need signed requests')
  })
})
