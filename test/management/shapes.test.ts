import { expect } from 'chai'
import { authzDetails, clientNumber } from '../../lib/authlete/shapes.ts'

describe('the numbers of clients', () => {
  it('are their ids, where those are numbers', () => {
    for (const id of ['1', '26478243745571', '9007199254740991']) {
      expect(clientNumber(id)).to.deep.equal({ clientId: Number(id), clientIdAliasUsed: false })
    }
  })

  it('are made from any other id, which becomes the alias', () => {
    for (const id of ['till', '0', '007', '1.5', '-1', '9007199254740992', '1e3']) {
      const { clientId, ...alias } = clientNumber(id)
      expect(clientId).to.satisfy(Number.isSafeInteger)
      expect(alias).to.deep.equal({ clientIdAlias: id, clientIdAliasUsed: true })
    }
    expect(clientNumber('till')).to.deep.equal(clientNumber('till'))
    expect(clientNumber('till').clientId).not.to.equal(clientNumber('tilt').clientId)
  })
})

describe('AuthzDetails', () => {
  it('have members for what RFC 9396 names, and text for the rest', () => {
    const detail = { type: 'a', locations: ['l'], privileges: ['p'], identifier: 5, datatypes: 'x', n: { m: [1] } }
    expect(authzDetails([detail, { type: 'b' }])).to.deep.equal({
      elements: [
        {
          type: 'a',
          locations: ['l'],
          privileges: ['p'],
          otherFields: '{"identifier":5,"datatypes":"x","n":{"m":[1]}}',
        },
        { type: 'b' },
      ],
    })
  })

  it('take no member for a list that only objects in general have', () => {
    expect(authzDetails([{ type: 'a', toString: ['x'], constructor: ['y'] } as never])).to.deep.equal({
      elements: [{ type: 'a', otherFields: '{"toString":["x"],"constructor":["y"]}' }],
    })
  })
})
