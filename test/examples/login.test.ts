import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { login } from '../../examples/quickstart/login.ts'

describe('the login of the quickstart', () => {
  const server = express()
    .use(login([{ sub: 'alice' }]).router)
    .listen(0, '127.0.0.1')
  after(() => void server.close())

  for (const [next, location] of [
    ['/auth/backchannel/approve/x?again', '/auth/backchannel/approve/x?again'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['', '/'],
  ] as const) {
    it(`leads to ${location} for "${next}"`, async () => {
      const { port } = server.address() as AddressInfo
      const body = new URLSearchParams({ sub: 'alice', next })
      const response = await fetch(`http://127.0.0.1:${port}/login`, { method: 'POST', body, redirect: 'manual' })
      expect(response.headers.get('location')).to.equal(location)
    })
  }
})
