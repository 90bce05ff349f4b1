import { expect } from 'chai'
import { cibaGrantType } from 'express-ciba'
import { type Answer, clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { until } from '../helpers/until.ts'

type Device = ReturnType<typeof deviceOf>

const secret = 'a-secret-for-the-demo-only-0123456789'
const basic = (id: string, password: string) => `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`

describe('beside oidc-provider', function () {
  this.timeout(30_000)
  let program: Program
  let origin: string
  let client: ReturnType<typeof clientOf>
  before(async () => {
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    program = startProgram(['--import', 'tsx', 'examples/oidc-provider/server.ts'], { PORT: String(port) })
    await program.line(/with CIBA at/)
    client = clientOf({ origin })
  })
  after(() => program.stop())

  const till = { authorization: basic('till', secret) }
  const ask = (sub: string, more: Record<string, string> = {}) =>
    client.post('/backchannel', { scope: 'openid', login_hint: `${sub}@example.com`, ...byLink, ...more }, till)
  const poll = (auth_req_id: string) => client.post('/token', { grant_type: cibaGrantType, auth_req_id }, till)
  /** The request's answer reaches oidc-provider in its own time. */
  async function result(auth_req_id: string): Promise<Answer> {
    let answer = await poll(auth_req_id)
    await until(async () => {
      if (answer.body.error === 'authorization_pending') answer = await poll(auth_req_id)
      return answer.body.error !== 'authorization_pending'
    })
    return answer
  }

  /** Goes where a browser would be sent, and fills in the login and the consent that it meets. */
  async function follow(device: Device, url: string, sub: string): Promise<{ url: string; html: string }> {
    for (let hops = 0; hops < 20; hops++) {
      if (!url.startsWith(origin) || url.startsWith(`${origin}/callback`)) return { url, html: '' }
      let response = await device.go(url)
      let html = await response.text()
      const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1]
      if (response.status === 200 && prompt !== undefined) {
        const action = /action="([^"]+)"/.exec(html)?.[1] ?? ''
        const body = new URLSearchParams({ prompt, login: sub, password: 'any' })
        response = await device.go(new URL(action, url).href, { method: 'POST', body })
        html = await response.text()
      }
      const location = response.headers.get('location')
      if (location === null) return { url, html }
      url = new URL(location, url).href
    }
    throw new Error('sent round in circles')
  }

  it('takes a request by our link, our page and a login of its own to its tokens', async () => {
    const { status, body } = await ask('alice', { binding_message: 'K7Q-2M4' })
    expect(status).to.equal(200)
    expect(body.link).to.match(/\/auth\/backchannel\/approve\?r=/)
    expect((await poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
    const device = deviceOf(undefined)
    const page = await follow(device, body.link, 'alice')
    expect(page.html).to.include('Corner Bank till').and.include('K7Q-2M4')
    expect((await device.press(page, 'approve')).status).to.equal(303)
    const tokens = await result(body.auth_req_id)
    expect(tokens.status).to.equal(200)
    expect(tokens.body).to.include({ scope: 'openid', token_type: 'Bearer' })
    const claims = JSON.parse(Buffer.from(tokens.body.id_token.split('.')[1], 'base64url').toString())
    expect(claims).to.include({ iss: origin, sub: 'alice', aud: 'till' })
    expect((await poll(body.auth_req_id)).body.error).to.equal('invalid_grant')
  })

  it('prints the link where no channel is set', async () => {
    await client.post('/backchannel', { scope: 'openid', login_hint: 'alice', binding_message: 'PRINTED' }, till)
    await program.line(/for alice, from Corner Bank till \(PRINTED\)/)
  })

  it('lets nobody else answer', async () => {
    const { body } = await ask('alice')
    const page = await follow(deviceOf(undefined), body.link, 'bob')
    expect(page.html).not.to.include('value="approve"')
    expect((await poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
  })

  it('tells of a denial, and keeps the client from asking again at once', async () => {
    const { body } = await ask('bob')
    const device = deviceOf(undefined)
    await device.press(await follow(device, body.link, 'bob'), 'deny')
    const denied = await result(body.auth_req_id)
    expect(denied.body).to.deep.equal({ error: 'access_denied', error_description: 'The user declined' })
    const again = await ask('bob')
    expect([again.status, again.body.error]).to.deep.equal([403, 'access_denied'])
    expect(Number(again.headers.get('retry-after'))).to.be.within(1, 30)
  })

  it('refuses users nobody knows, and messages that cannot be shown', async () => {
    expect((await ask('nobody')).body.error).to.equal('unknown_user_id')
    expect((await ask('alice', { binding_message: 'a\u202Eb' })).body.error).to.equal('invalid_binding_message')
    expect((await ask('alice', { request_context: '[]' })).body.error).to.equal('invalid_request')
  })

  it('leaves its own authorization code flow as it is', async () => {
    const query = new URLSearchParams({
      client_id: 'web',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${origin}/callback`,
      state: 'xyz',
    })
    const { url } = await follow(deviceOf(undefined), `${origin}/auth?${query}`, 'alice')
    const { code = '', state } = Object.fromEntries(new URL(url).searchParams)
    expect(state).to.equal('xyz')
    const { status, body } = await client.post(
      '/token',
      { grant_type: 'authorization_code', code, redirect_uri: `${origin}/callback` },
      { authorization: basic('web', 'another-secret-for-the-demo-0123456789') },
    )
    expect(status).to.equal(200)
    expect(body.id_token.split('.')).to.have.length(3)
  })

  it('offers the login again to whoever gave it up, and decides nothing', async () => {
    const { body } = await ask('alice')
    const device = deviceOf(undefined)
    const opened = await device.open(body.link)
    const started = await device.go(opened.response.headers.get('location') ?? '')
    const interaction = new URL(started.headers.get('location') ?? '', origin).href
    const page = await follow(device, `${interaction}/abort`, 'alice')
    expect(page.url).to.equal(`${opened.url}?again`)
    expect(page.html).to.include('/auth?client_id=approval-page').and.not.include('value="approve"')
    expect((await poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
  })

  it('lets somebody who is signed in sign in once more, where the login has to be fresh', async () => {
    const { body } = await ask('alice')
    const device = deviceOf(undefined)
    const page = await follow(device, body.link, 'alice')
    const first = [...device.cookies].find(([name]) => name === '_session')?.[1]
    const query = new URLSearchParams({
      client_id: 'approval-page',
      response_type: 'none',
      redirect_uri: `${origin}/auth/backchannel/signed-in`,
      state: new URL(page.url).pathname,
      prompt: 'login',
    })
    const again = await follow(device, `${origin}/auth?${query}`, 'alice')
    expect(again.url).to.equal(page.url)
    expect(again.html).to.include('value="approve"')
    expect([...device.cookies].find(([name]) => name === '_session')?.[1]).not.to.equal(first)
  })

  it('comes back from a login to the page, and to nowhere else', async () => {
    const back = async (state: string) => {
      const url = `${origin}/auth/backchannel/signed-in?${new URLSearchParams({ state })}`
      return (await fetch(url, { redirect: 'manual' })).headers.get('location')
    }
    const page = '/auth/backchannel/approve/0123456789abcdef'
    for (const state of [page, `${page}?again`]) expect(await back(state)).to.equal(`${page}?again`)
    for (const state of [
      'https://evil.example',
      '//evil.example',
      `${page}\r\nx`,
      '/auth/backchannel/approve/../../x?y',
    ])
      expect(await back(state)).to.equal('/auth/backchannel/approve')
  })
})

const byLink = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'email' }) }
