import { expect } from 'chai'
import { isPublic } from '../../lib/core/outbound/publicAddress.ts'

describe('isPublic', () => {
  for (const address of ['8.8.8.8', '93.184.216.34', '1.1.1.1', '172.32.0.1', '192.0.1.1', '223.255.255.255']) {
    it(`takes ${address}`, () => expect(isPublic(address)).to.equal(true))
  }
  for (const address of ['2606:4700::1111', '2a00:1450:4001::200e', '2001:4860:4860::8888', '2003::1']) {
    it(`takes ${address}`, () => expect(isPublic(address)).to.equal(true))
  }
  for (const address of [
    '9.255.255.255.',
    'client.example',
    '',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    'fe80::1%eth0',
  ]) {
    it(`refuses ${JSON.stringify(address)}`, () => expect(isPublic(address)).to.equal(false))
  }
})
