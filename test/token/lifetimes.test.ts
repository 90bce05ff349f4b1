import { expect } from 'chai'
import { createLifetimesOf, defaultLifetimes } from '../../lib/protocol/token/lifetimes.ts'

const till = { client_id: 'till' }

describe('lifetimes of tokens', () => {
  it('have defaults', () => {
    expect(createLifetimesOf({})(till, undefined)).to.deep.equal(defaultLifetimes)
  })

  it('are what the completion asked for, else what the host says of the client, else of everybody', () => {
    const lifetimesOf = createLifetimesOf({
      accessTokenSeconds: ({ client_id }) => (client_id === 'till' ? 60 : undefined),
      idTokenSeconds: 120,
    })
    expect(lifetimesOf(till, { idTokenSeconds: 5 })).to.include({ accessTokenSeconds: 60, idTokenSeconds: 5 })
    expect(lifetimesOf({ client_id: 'web' }, undefined)).to.include({ accessTokenSeconds: 3600, idTokenSeconds: 120 })
  })

  it('end with the family of a refresh token', () => {
    expect(createLifetimesOf({ refreshFamilySeconds: 600 })(till, undefined).refreshTokenSeconds).to.equal(600)
  })

  for (const seconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`are no ${seconds} seconds, and the host is told which option says so`, () => {
      expect(() => createLifetimesOf({ accessTokenSeconds: () => seconds })(till, undefined)).to.throw(
        TypeError,
        'option "tokens.accessTokenSeconds" must return a whole number',
      )
    })
  }
})
