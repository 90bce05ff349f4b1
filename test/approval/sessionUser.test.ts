import { expect } from 'chai'
import type { Request } from 'express'
import type { SessionUser } from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { contextFor } from '../helpers/context.ts'
import { deviceOf } from '../helpers/device.ts'
import { startHost } from '../helpers/host.ts'
import { until } from '../helpers/until.ts'

/** What the engine makes of this, by both hooks. */
function readings(user: unknown): readonly Promise<SessionUser | undefined>[] {
  const given = () => user as SessionUser
  const { session } = contextFor({ session: { current: given, loginUrl: () => '/login', verifyToken: given } })
  if (session?.verifyToken === undefined) throw new Error('there is no session')
  return [session.current({} as Request), session.verifyToken('token')]
}

describe('the user of the session', () => {
  it('may be nobody, or know no more than a sub', async () => {
    for (const nobody of [undefined, null])
      expect(await Promise.all(readings(nobody))).to.deep.equal([undefined, undefined])
    const known = { sub: 'alice', authTime: null, acr: undefined, email: 'alice@example.com' }
    expect(await Promise.all(readings(known))).to.deep.equal([{ sub: 'alice' }, { sub: 'alice' }])
    const all = { sub: 'alice', authTime: 1_700_000_000, acr: 'a', amr: ['pwd'] }
    expect(await Promise.all(readings(all))).to.deep.equal([all, all])
  })

  for (const [what, user, message] of [
    ['no sub', { id: 1 }, 'a wrong "sub"'],
    ['a number as sub', { sub: 1 }, 'a wrong "sub"'],
    ['an empty sub', { sub: '' }, 'a wrong "sub"'],
    ['milliseconds as authTime', { sub: 'a', authTime: Date.now() }, 'must be epoch seconds, not milliseconds'],
    ['a Date as authTime', { sub: 'a', authTime: new Date() }, 'a wrong "authTime"'],
  ] as [string, unknown, string][]) {
    it(`is not one with ${what}`, async () => {
      for (const reading of readings(user)) {
        const thrown: Error = await reading.then(
          () => new Error('was taken'),
          (error) => error,
        )
        expect(thrown).to.be.an.instanceOf(TypeError).with.property('message').that.includes(message)
      }
    })
  }

  it('without a sub is a fault, which names the hook, on the page and at the completion endpoint', async () => {
    const user = { id: 1 } as unknown as SessionUser
    const session = { current: () => user, loginUrl: () => '/login', verifyToken: () => user }
    const host = await startHost({ session, requests: { hideUnknownUsers: true } })
    const faults = () =>
      host.events.flatMap((event) => (event.type === 'fault' ? [(event.cause as Error).message] : []))
    const { auth_req_id } = (await clientOf(host).start()).body
    expect((await clientOf(host).complete({ auth_req_id, approved: true })).status).to.equal(500)
    await until(() => host.notices.length === 1)
    expect((await deviceOf('alice').open(host.notices[0]?.link ?? '')).response.status).to.equal(500)
    expect(faults()[0]).to.include('option "session.verifyToken" returned a user with a wrong "sub"')
    expect(faults()[1]).to.include('option "session.current" returned a user with a wrong "sub"')
    // nobody was asked for, and a user who is nobody must not answer for them
    const ghost = (await clientOf(host).start({ scope: 'openid', login_hint: 'nobody' })).body.auth_req_id
    expect((await clientOf(host).complete({ auth_req_id: ghost, approved: true })).status).to.equal(500)
    expect((await clientOf(host).poll(ghost)).body.error).to.equal('authorization_pending')
    await host.close()
  })
})
