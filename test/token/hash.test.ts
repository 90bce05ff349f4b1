import { expect } from 'chai'
import { leftHalfHash } from '../../lib/protocol/token/idToken.ts'

const long = 'YmJiZTAwYmYtMzgyOC00NzhkLTkyOTItNjJjNDM3MGYzOWIy9sFhvH8K_x8UIHj1osisS57f5DduL'

describe('OIDC-3.1.3.6-01, CIBA-10.3.1-06: at_hash and rt_hash', () => {
  for (const [value, alg, hash] of [
    ['G5kXH2wHvUra0sHlDy1iTkDJgsgUO1bN', 'RS256', 'Wt0kVFXMacqvnHeyU0001w'],
    ['4bwc0ESC_IAhflf-ACC_vjD_ltc11ne-8gFPfA2Kx16', 'RS256', 'sHahCuSpXCRg5mkDDvvr4w'],
    [long, 'ES256', 'xsZZrUssMXjL3FBlzoSh2g'],
    [long, 'ES384', 'adt46pcdiB-l6eTNifgoVM-5AIJAxq84'],
    [long, 'Ed25519', 'p2LHG4H-8pYDc0hyVOo3iIHvZJUqe9tbj3jESOuXbkY'],
    [long, 'EdDSA', 'p2LHG4H-8pYDc0hyVOo3iIHvZJUqe9tbj3jESOuXbkY'],
  ] as const) {
    it(`${alg} of ${value.slice(0, 8)}…`, () => {
      expect(leftHalfHash(value, alg)).to.equal(hash)
    })
  }
})
