import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, startHost, users } from '../helpers/host.ts'

describe('the approval page', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  let authReqId: string
  let link: string
  beforeEach(async () => {
    host = await startHost()
    client = clientOf(host)
    const request_context = JSON.stringify({ channel: 'link', login_hint_type: 'user_id' })
    const { body } = await client.start({ scope: 'openid', login_hint: 'alice', request_context })
    authReqId = body.auth_req_id
    link = body.link
  })
  afterEach(() => host.close())

  const outcome = async () => {
    const { status, body } = await client.poll(authReqId)
    return status === 200 ? 'tokens' : body.error
  }

  it('moves the secret from the address bar into a cookie', async () => {
    const { url, response } = await deviceOf('alice').open(link)
    const secret = new URL(link).searchParams.get('r') ?? ''
    expect(url).not.to.include(secret)
    expect(response.status).to.equal(200)
    const opened = await fetch(link, { redirect: 'manual' })
    expect(opened.status).to.equal(303)
    expect(opened.headers.get('set-cookie')).to.match(/; Path=\/auth\/backchannel\/approve; HttpOnly; SameSite=Lax$/)
    // ten minutes, and two of grace: cookies that stay would fill the header in the end
    expect(Number(/; Max-Age=(\d+);/.exec(opened.headers.get('set-cookie') ?? '')?.[1])).to.be.within(600, 720)
    expect(opened.headers.get('referrer-policy')).to.equal('no-referrer')
  })

  it('refuses a path that is no text, and makes no fault of it', async () => {
    const { status } = await fetch(`${host.origin}/auth/backchannel/approve/%ff`)
    expect(status).to.equal(400)
    expect(host.events.map(({ type }) => type)).not.to.include('fault')
  })

  it('sends a visitor who is not signed in to the login and back', async () => {
    const { response, url } = await deviceOf(undefined).open(link)
    expect(response.status).to.equal(303)
    expect(response.headers.get('location')).to.equal(`/login?next=${encodeURIComponent(new URL(url).pathname)}`)
  })

  it('tells another user nothing, and takes no answer from them', async () => {
    const device = deviceOf('bob')
    const page = await device.open(link)
    expect(page.response.status).to.equal(403)
    expect(page.html).not.to.include('Corner Bank').and.not.to.include('csrf')
    expect((await device.press(page, 'approve')).status).to.equal(403)
    expect(host.events.map(({ type }) => type)).to.include('user.mismatch')
    expect(await outcome()).to.equal('authorization_pending')
  })

  it('changes nothing on GET and HEAD, however often', async () => {
    const device = deviceOf('alice')
    const { url } = await device.open(link)
    for (let times = 0; times < 20; times++) {
      await device.go(link)
      await device.go(link, { method: 'HEAD' })
      await device.go(url)
      await device.go(`${url}?action=approve`)
    }
    expect(await outcome()).to.equal('authorization_pending')
    await device.press(await device.open(link), 'approve')
    expect(await outcome()).to.equal('tokens')
  })

  it('R9700-4.12-01, CIBA-8-02, OIDC-3.1.2.4-01 decides by POST, then shows what was decided', async () => {
    const device = deviceOf('alice')
    const page = await device.open(link)
    const answer = await device.press(page, 'approve', { origin: host.origin, 'sec-fetch-site': 'same-origin' })
    expect([answer.status, answer.headers.get('location')]).to.deep.equal([303, page.url])
    expect((await device.open(link)).response.status).to.equal(200)
    await device.press(page, 'deny')
    expect(await outcome()).to.equal('tokens')
  })

  it('reports a request that the user did not start', async () => {
    const device = deviceOf('alice')
    await device.press(await device.open(link), 'not_me')
    expect(host.events.map(({ type }) => type)).to.include.members(['request.not_me', 'request.denied'])
    expect(await outcome()).to.equal('access_denied')
  })

  for (const [what, press] of [
    [
      'without the token',
      (page) => deviceOf('alice').go(page.url, { method: 'POST', body: new URLSearchParams({ action: 'approve' }) }),
    ],
    ['without the cookie', (page) => deviceOf('alice').press(page, 'approve')],
    ['from another site', (page, device) => device.press(page, 'approve', { origin: 'https://evil.example' })],
    [
      'cross-site by fetch metadata',
      (page, device) => device.press(page, 'approve', { 'sec-fetch-site': 'cross-site' }),
    ],
    [
      'same-site but another origin',
      (page, device) => device.press(page, 'approve', { 'sec-fetch-site': 'same-site' }),
    ],
    [
      'with a token of another request',
      async (page, device) => device.press({ ...page, html: await otherPage() }, 'approve'),
    ],
    [
      'as JSON',
      (page, device) =>
        device.go(page.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"action":"approve"}',
        }),
    ],
    ['with an unknown action', (page, device) => device.press(page, 'constructor')],
  ] satisfies [
    string,
    (page: { url: string; html: string }, device: ReturnType<typeof deviceOf>) => Promise<Response>,
  ][]) {
    it(`is not decided ${what}`, async () => {
      const device = deviceOf('alice')
      await press(await device.open(link), device)
      expect(await outcome()).to.equal('authorization_pending')
    })
  }

  async function otherPage(): Promise<string> {
    const request_context = JSON.stringify({ channel: 'link', login_hint_type: 'user_id' })
    const { body } = await client.start({ scope: 'openid', login_hint: 'alice', request_context })
    return (await deviceOf('alice').open(body.link)).html
  }

  it('does not accept a cookie planted before login', async () => {
    const attacker = deviceOf(undefined)
    const { url } = await attacker.open(link)
    const victim = deviceOf('alice')
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value)
    const planted = new Map(victim.cookies)
    const html = await (await victim.go(url)).text()
    victim.cookies.clear()
    for (const [name, value] of planted) victim.cookies.set(name, value)
    expect((await victim.press({ url, html }, 'approve')).status).to.equal(403)
    expect(await outcome()).to.equal('authorization_pending')
  })

  it('says when it is too late, unknown, or of another kind of handle', async () => {
    const open = async (url: string) => (await deviceOf('alice').open(url)).response.status
    expect(await open(`${host.origin}/auth/backchannel/approve?r=${'A'.repeat(59)}`)).to.equal(404)
    expect(await open(`${host.origin}/auth/backchannel/approve?r=${authReqId}`)).to.equal(404)
    expect(await open(`${host.origin}/auth/backchannel/approve?r=a&r=b`)).to.equal(404)
    expect(await open(`${host.origin}/auth/backchannel/approve`)).to.equal(404)
    host.pass(600)
    expect(await open(link)).to.equal(410)
  })

  it('R9700-4.16-01, R9700-4.2.4-01 has the same protective headers in every state', async () => {
    const device = deviceOf('alice')
    const { url } = await device.open(link)
    for (const path of [
      url,
      link,
      `${host.origin}/auth/backchannel/approve`,
      `${host.origin}/auth/backchannel/approve/nothing`,
    ]) {
      const { headers, status } = await device.go(path)
      expect(headers.get('cache-control')).to.equal('no-store')
      expect(headers.get('referrer-policy')).to.equal('no-referrer')
      if (status === 303) continue
      expect(headers.get('content-security-policy'))
        .to.include("default-src 'none'")
        .and.include("frame-ancestors 'none'")
      expect(headers.get('x-frame-options')).to.equal('DENY')
    }
  })

  it('FAPI2-5.3.2.1-08 never follows the Host header', async () => {
    const forged = await fetch(link, { redirect: 'manual', headers: { 'x-forwarded-host': 'evil.example' } })
    expect(forged.headers.get('location')).to.match(new RegExp(`^${host.origin}/`))
  })
})

describe('the approval page, when things change behind it', () => {
  let host: Host
  let authReqId: string
  let link: string
  let client: ClientMetadata | undefined
  let isActive: () => boolean | Promise<boolean>
  const start = async (options: HostOptions = {}) => {
    client = { ...clients[0], client_id: 'till', logo_uri: 'https://till.example/logo.png' }
    isActive = () => true
    host = await startHost({
      clients: { find: () => client },
      users: { find: ({ hint: { value } }) => users.find(({ sub }) => sub === value), isActive: () => isActive() },
      ...options,
    })
    const request_context = JSON.stringify({ channel: 'link', login_hint_type: 'user_id' })
    const { body } = await clientOf(host).start({ scope: 'openid', login_hint: 'alice', request_context })
    authReqId = body.auth_req_id
    link = body.link
  }
  afterEach(() => host.close())

  it('shows nothing of a client that is gone', async () => {
    await start()
    client = undefined
    expect((await deviceOf('alice').open(link)).response.status).to.equal(404)
  })

  it('takes no answer from an account that is closed', async () => {
    await start()
    const device = deviceOf('alice')
    const page = await device.open(link)
    isActive = () => false
    expect((await device.press(page, 'approve')).status).to.equal(403)
    isActive = () => true
    expect((await clientOf(host).poll(authReqId)).body.error).to.equal('authorization_pending')
  })

  it('says so when the request ends while the answer is on its way', async () => {
    for (const [end, status, words] of [
      [() => host.router.backchannel.cancel(authReqId), 200, 'Nothing left to answer'],
      [() => host.pass(600), 410, 'expired'],
    ] as const) {
      await start()
      const device = deviceOf('alice')
      const page = await device.open(link)
      isActive = async () => {
        isActive = () => true
        await end()
        return true
      }
      const answer = await device.press(page, 'approve')
      expect(answer.status).to.equal(status)
      expect(await answer.text()).to.include(words)
      await host.close()
    }
  })

  it('shows the logo and the place of a request where the host wants them', async () => {
    await start({ page: { logos: true, place: ({ context, clientId }) => `${clientId} via ${context.channel}` } })
    const { html } = await deviceOf('alice').open(link)
    expect(html).to.include('src="https://till.example/logo.png"').and.include('till via link')
  })

  it('is shown without a place that cannot be told', async () => {
    await start({
      page: {
        place: () => {
          throw new Error('no map')
        },
      },
    })
    expect((await deviceOf('alice').open(link)).response.status).to.equal(200)
    expect(host.events.find(({ type }) => type === 'outage')).to.include({ of: 'page' })
  })
  it('is an outage when the host’s own template fails, and the answer is not lost', async () => {
    let broken: (state: string) => boolean = () => true
    await start({
      page: {
        template: ({ state, ...view }) => {
          if (broken(state)) throw new Error('no template')
          return `${state} ${'csrf' in view ? `<input name="csrf" value="${view.csrf}">` : ''}`
        },
      },
    })
    const device = deviceOf('alice')
    const none = await device.open(link)
    expect([none.response.status, JSON.parse(none.html).error]).to.deep.equal([503, 'temporarily_unavailable'])
    broken = (state) => state === 'ask'
    const other = await device.open(link)
    expect([other.response.status, other.html.trim()]).to.deep.equal([503, 'error'])
    const outages = host.events.filter((event) => event.type === 'outage' && event.of === 'page')
    expect(outages).to.have.length(3)
    expect(host.events.map(({ type }) => type)).not.to.include('fault')
    broken = () => false
    await device.press(await device.open(link), 'approve')
    expect((await clientOf(host).poll(authReqId)).status).to.equal(200)
  })
})
