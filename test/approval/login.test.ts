import { expect } from 'chai'
import type { LoginNeed, SessionUser } from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, startHost } from '../helpers/host.ts'

describe('the login that decides', () => {
  let host: Host
  let user: SessionUser | undefined
  let needs: LoginNeed[]
  const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds

  async function ask(member: object, parameters: Record<string, string> = {}, options: HostOptions = {}) {
    needs = []
    host = await startHost({
      requests: { acrValues: ['pwd', 'mfa', 'key'] },
      clients: {
        find: ({ clientId: id }) =>
          clients.filter(({ client_id }) => client_id === id).map((each) => ({ ...each, ...member }))[0],
      },
      session: {
        current: () => user,
        loginUrl: ({ returnTo, need }) => {
          needs.push(need)
          return `/login?next=${encodeURIComponent(returnTo)}`
        },
        verifyToken: () => user,
      },
      ...options,
    })
    const client = clientOf(host)
    const { body } = await client.start({ ...forAlice, ...parameters })
    return { client, ...body }
  }
  afterEach(() => host.close())

  const forAlice = {
    scope: 'openid',
    login_hint: 'alice',
    request_context: '{"channel":"link","login_hint_type":"user_id"}',
  }
  const essential = { claims: '{"id_token":{"acr":{"essential":true,"values":["mfa","key"]}}}' }

  it('is told the wanted classes: those asked for, else the client’s default_acr_values', async () => {
    user = undefined
    const { link } = await ask({ default_acr_values: ['unknown', 'mfa'] })
    await deviceOf(undefined).open(link)
    expect(needs).to.deep.equal([{ acrValues: ['mfa'] }])
    await host.close()
    const asked = await ask({ default_acr_values: ['mfa'] }, { acr_values: 'key pwd' })
    await deviceOf(undefined).open(asked.link)
    expect(needs).to.deep.equal([{ acrValues: ['key', 'pwd'] }])
  })

  it('OIDC-5.5.1.1-01 steps up to an essential acr, and only then may answer', async () => {
    user = { sub: 'alice', authTime: secondsAgo(0), acr: 'pwd' }
    const { client, link, auth_req_id } = await ask({}, essential)
    const device = deviceOf('alice')
    const { url, response } = await device.open(link)
    expect([response.status, response.headers.get('location')]).to.deep.equal([
      303,
      `/login?next=${encodeURIComponent(`${new URL(url).pathname}?again`)}`,
    ])
    expect(needs).to.deep.equal([{ acrValues: ['mfa', 'key'], essential: true }])
    expect((await device.press({ url, html: '' }, 'approve')).status).to.equal(403)
    user = { ...user, acr: 'mfa' }
    await device.press(await device.open(link), 'approve')
    expect((await client.poll(auth_req_id)).status).to.equal(200)
  })

  it('is not sent round in circles when it reaches no more', async () => {
    user = { sub: 'alice', authTime: secondsAgo(0), acr: 'pwd' }
    const { link } = await ask({}, essential)
    const device = deviceOf('alice')
    const { url } = await device.open(link)
    const back = await device.go(`${url}?again`)
    expect(back.status).to.equal(403)
    expect(await back.text())
      .to.include('newer or stronger sign-in')
      .and.to.include('href="/login?next=')
  })

  it('is not older than default_max_age', async () => {
    user = { sub: 'alice', authTime: secondsAgo(120), acr: 'pwd' }
    const { client, link, auth_req_id } = await ask({ default_max_age: 60 })
    const device = deviceOf('alice')
    expect((await device.open(link)).response.status).to.equal(303)
    expect(needs).to.deep.equal([{ maxAgeSeconds: 60 }])
    user = { ...user, authTime: secondsAgo(30) }
    await device.press(await device.open(link), 'approve')
    expect((await client.poll(auth_req_id)).status).to.equal(200)
  })

  it('tells a screen of the host’s own what is missing (RFC 9470 3)', async () => {
    user = { sub: 'alice', authTime: secondsAgo(120), acr: 'pwd' }
    const { client, auth_req_id } = await ask({ default_max_age: 60 }, essential)
    const { status, body, headers } = await client.complete({ auth_req_id, approved: true })
    expect([status, body.error]).to.deep.equal([401, 'insufficient_user_authentication'])
    expect(headers.get('www-authenticate')).to.equal(
      'Bearer error="insufficient_user_authentication", acr_values="mfa key", max_age=60',
    )
    user = { sub: 'alice', authTime: secondsAgo(0), acr: 'key' }
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
  })

  for (const [what, member, options] of [
    ['default_max_age', { default_max_age: 60 }, {}],
    ['approval.freshLogin', {}, { approval: { freshLogin: true } }],
  ] as const) {
    it(`is held to ${what} by the engine’s own door too, and the request stays open`, async () => {
      const { client, auth_req_id } = await ask(member, {}, options)
      const approve = (authTime: number) =>
        host.router.backchannel.approve({ request: auth_req_id, by: { sub: 'alice', authTime } })
      const thrown = await approve(secondsAgo(120)).catch((error) => error)
      expect(thrown).to.include({ code: 'insufficient_user_authentication', status: 401 })
      expect((await client.poll(auth_req_id)).body.error).to.equal('authorization_pending')
      expect(await approve(secondsAgo(0))).to.include({ status: 'approved', clientId: 'till', sub: 'alice' })
    })
  }

  it('has to be timed where the client has require_auth_time, and the answer is not lost', async () => {
    user = { sub: 'alice' }
    const { client, auth_req_id } = await ask({ require_auth_time: true })
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(500)
    const fault = host.events.find(({ type }) => type === 'fault')
    expect(String(fault && 'cause' in fault && fault.cause)).to.include('require_auth_time')
    user = { sub: 'alice', authTime: secondsAgo(5) }
    expect((await client.complete({ auth_req_id, approved: true })).status).to.equal(204)
    expect((await client.poll(auth_req_id)).status).to.equal(200)
  })
})
