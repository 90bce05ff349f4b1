import { expect } from 'chai'
import type { ClientMetadata, TokenLifetimes, TokenOverrides } from 'express-ciba'
import { lifetimesOf } from '../../lib/protocol/token/grant.ts'
import { contextFor } from '../helpers/context.ts'

const till = { client_id: 'till' }
const lifetimes = (options: TokenLifetimes, client: ClientMetadata = till, overrides: TokenOverrides = {}) =>
  lifetimesOf(contextFor({ tokens: { lifetimes: options } }), client, overrides)

describe('lifetimes of tokens', () => {
  it('have defaults', () => {
    expect(lifetimesOf(contextFor(), till, undefined)).to.deep.equal({
      accessTokenSeconds: 3_600,
      idTokenSeconds: 3_600,
      refreshTokenSeconds: 30 * 86_400,
    })
  })

  it('are what the approval asked for, else what the host says of the client, else of everybody', () => {
    const options: TokenLifetimes = {
      accessTokenSeconds: ({ client }) => (client.client_id === 'till' ? 60 : undefined),
      idTokenSeconds: 120,
    }
    expect(lifetimes(options, till, { idTokenSeconds: 5 })).to.include({ accessTokenSeconds: 60, idTokenSeconds: 5 })
    expect(lifetimes(options, { client_id: 'web' })).to.include({ accessTokenSeconds: 3600, idTokenSeconds: 120 })
  })

  it('end with the family of a refresh token', () => {
    expect(lifetimes({ refreshFamilySeconds: 600 }).refreshTokenSeconds).to.equal(600)
  })

  for (const seconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`are no ${seconds} seconds, and the host is told which option says so`, () => {
      expect(() => lifetimes({ accessTokenSeconds: () => seconds })).to.throw(
        TypeError,
        'option "tokens.lifetimes.accessTokenSeconds" must return a whole number',
      )
    })
  }
})
