import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type BackchannelStore, memoryStore, type Notice } from 'express-ciba'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { login } from '../../examples/quickstart/login.ts'
import { follow, needsBrowser, shoot, startBrowser } from '../helpers/browser.ts'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, noLimits, startHost, users } from '../helpers/host.ts'
import { hostileText } from '../helpers/hostileText.ts'
import { shapesOf } from '../helpers/shapes.ts'
import { until } from '../helpers/until.ts'

// The attacks on people of the threat list, one case per row and countermeasure.

const alice = { scope: 'openid', login_hint: 'alice@example.com' }
const viaLink = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'email' }) }

describe('attacks on people', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  const start = async (options: HostOptions = {}) => {
    host = await startHost(options)
    client = clientOf(host)
  }
  afterEach(() => host?.close())

  const request = async (form: Record<string, string> = {}) =>
    (await client.start({ ...alice, ...viaLink, ...form })).body as { auth_req_id: string; link: string }
  const outcome = async ({ auth_req_id }: { auth_req_id: string }) => {
    const { status, body } = await client.poll(auth_req_id)
    return status === 200 ? 'tokens' : body.error
  }
  const events = () => host.events.map(({ type }) => type)

  describe('threat 1: prompt spamming', () => {
    it('sends five notices for fifty requests at once', async () => {
      await start({ limits: {} })
      const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await client.start(alice)).status))
      expect(statuses.filter((status) => status === 200)).to.have.length(5)
      await until(() => host.notices.length === 5)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(host.notices).to.have.length(5)
    })

    it('keeps a client waiting after a denial', async () => {
      await start({ limits: { denialSeconds: 1 } })
      const { auth_req_id } = await request()
      await client.complete({ auth_req_id, approved: false })
      const refused = await client.start(alice)
      expect([refused.status, refused.body.error]).to.deep.equal([403, 'access_denied'])
      await until(async () => (await client.start(alice)).status === 200)
    })

    it('lets the user stop a client, and nobody but the host undo it', async () => {
      await start({})
      const device = deviceOf('alice')
      const asked = await request()
      await device.press(await device.open(asked.link), 'not_me')
      expect(await outcome(asked)).to.equal('access_denied')
      expect(events()).to.include('request.not_me')
      expect((await client.start(alice)).body.error).to.equal('access_denied')
      expect((await client.start({ scope: 'openid', login_hint: 'bob@example.com' })).status).to.equal(200)
      await host.router.backchannel.unblock({ clientId: 'till', sub: 'alice' })
      expect((await client.start(alice)).status).to.equal(200)
    })

    it('forgets the block when its time is over', async () => {
      await start({ limits: { notMeBlockSeconds: 1 } })
      await host.router.backchannel.block({ clientId: 'till', sub: 'alice' })
      expect((await client.start(alice)).status).to.equal(403)
      await until(async () => (await client.start(alice)).status === 200)
    })
  })

  describe('threat 2: session confusion', () => {
    it('never shows or decides one request on the page of another', async () => {
      await start()
      const [a, b] = [await request({ binding_message: 'A-1111' }), await request({ binding_message: 'B-2222' })]
      const device = deviceOf('alice')
      const [pageA, pageB] = [await device.open(a.link), await device.open(b.link)]
      expect(pageA.html).to.include('A-1111').and.not.to.include('B-2222')
      expect((await device.press({ url: pageB.url, html: pageA.html }, 'approve')).status).to.equal(403)
      await device.press(pageA, 'approve')
      expect([await outcome(a), await outcome(b)]).to.deep.equal(['tokens', 'authorization_pending'])
    })

    it('takes a wrong pick for a denial, and leaves the other request alone', async () => {
      await start({ approval: { choices: true } })
      const [a, b] = [await request({ binding_message: 'A-1111' }), await request({ binding_message: 'B-2222' })]
      const device = deviceOf('alice')
      const pick = async ({ link }: { link: string }, right: boolean) => {
        const page = await device.open(link)
        const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
        const choices = [...page.html.matchAll(/name="choice" value="([^"]+)"/g)].map(([, value]) => value ?? '')
        expect(choices).to.have.length(3)
        const choice = choices.find((each) => /^(A-1111|B-2222)$/.test(each) === right) ?? ''
        return device.go(page.url, { method: 'POST', body: new URLSearchParams({ csrf, action: 'approve', choice }) })
      }
      await pick(a, false)
      expect([await outcome(a), await outcome(b)]).to.deep.equal(['access_denied', 'authorization_pending'])
      await device.press(await device.open(b.link), 'approve')
      expect(await outcome(b)).to.be.oneOf(['authorization_pending', 'slow_down'])
      await pick(b, true)
      expect(await outcome(b)).to.equal('tokens')
    })
  })

  describe('threat 4: look-alike links', () => {
    it('builds links from configuration, whatever the headers say', async () => {
      await start()
      for (const headers of [{ 'x-forwarded-host': 'evil.example' }, { forwarded: 'host=evil.example' }] as const) {
        const { body } = await client.start({ ...alice, ...viaLink }, { authorization: client.basic, ...headers })
        expect(new URL(body.link).origin).to.equal(host.origin)
      }
      const { link } = await request()
      expect((await deviceOf('alice').open(link)).html).to.include(`<span>${new URL(host.origin).host}</span>`)
    })
  })

  describe('threat 5: scanners of mail and chat', () => {
    it('change nothing by GET, HEAD, prefetch, following links, or posting what they see', async () => {
      await start()
      const asked = await request()
      const scanner = deviceOf(undefined)
      for (let times = 0; times < 100; times++) await scanner.go(asked.link)
      for (const headers of [
        { purpose: 'prefetch' },
        { 'sec-purpose': 'prefetch;prerender' },
        { 'x-moz': 'prefetch' },
      ]) {
        await scanner.go(asked.link, { headers })
      }
      await scanner.go(asked.link, { method: 'HEAD' })
      const signedIn = deviceOf('alice')
      const page = await signedIn.open(asked.link)
      for (const [, url] of page.html.matchAll(/(?:href|src|action)="([^"]+)"/g))
        await signedIn.go(new URL(url ?? '', host.origin).href)
      for (const action of ['approve', 'deny', 'not_me']) {
        expect((await scanner.press(page, action)).status, action).not.to.be.within(200, 299)
        expect((await deviceOf('alice').press(page, action)).status, action).to.equal(404)
      }
      expect(await outcome(asked)).to.equal('authorization_pending')
      await signedIn.press(page, 'approve')
      expect(await outcome(asked)).to.equal('tokens')
    })
  })

  describe('threat 6: SMS pumping', () => {
    it('sends to numbers on file only, verified ones, and to each so often', async () => {
      const record = { ...users[0], sub: 'alice', phone_number: '+15550100' }
      await start({ users: { find: () => record }, limits: { noticesPerDestination: 3, openRequestsPerUser: 0 } })
      for (let times = 0; times < 20; times++) await client.start({ scope: 'openid', login_hint: '+8821612345678' })
      await until(() => host.notices.length === 3)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(host.notices.map(({ to }) => to)).to.deep.equal(Array(3).fill('+15550100'))
    })
  })

  describe('threat 7: user enumeration by answer', () => {
    const ghost = { scope: 'openid', login_hint: 'ghost@example.com' }
    it('looks the same for known and unknown users, also when they have too many open requests', async () => {
      await start({ requests: { hideUnknownUsers: true }, limits: { ...noLimits, openRequestsPerUser: 5 } })
      for (let times = 0; times < 7; times++) {
        const [known, unknown] = [await client.start(alice), await client.start(ghost)]
        expect(unknown.status).to.equal(known.status)
        expect([...unknown.headers.keys()]).to.deep.equal([...known.headers.keys()])
        expect(Object.keys(unknown.body)).to.deep.equal(Object.keys(known.body))
        expect(unknown.headers.get('content-length')).to.equal(known.headers.get('content-length'))
        expect(known.status).to.equal(times < 5 ? 200 : 403)
      }
      expect(host.notices.every(({ to }) => to === '+15550100')).to.equal(true)
    })

    it('stops clients that guess', async () => {
      await start({ limits: { failedHintsPerClient: 5 } })
      const statuses = []
      for (let times = 0; times < 7; times++) statuses.push((await client.start(ghost)).status)
      expect(statuses).to.deep.equal([400, 400, 400, 400, 400, 429, 429])
    })
  })

  describe('threat 8: user enumeration by time', () => {
    it('does the same work before the answer', async () => {
      const calls: string[] = []
      const store = memoryStore()
      const counted = Object.fromEntries(
        Object.entries(store).map(([name, verb]) => [
          name,
          (...args: unknown[]) => {
            calls.push(name)
            return (verb as (...args: unknown[]) => unknown)(...args)
          },
        ]),
      ) as unknown as BackchannelStore
      await start({ requests: { hideUnknownUsers: true }, store: counted })
      const work = async (login_hint: string) => {
        calls.length = 0
        const begin = performance.now()
        await client.start({ scope: 'openid', login_hint })
        return { calls: calls.join(), milliseconds: performance.now() - begin }
      }
      const known: number[] = []
      const unknown: number[] = []
      for (let times = 0; times < 220; times++) {
        const [one, two] = [await work('alice@example.com'), await work('ghost@example.com')]
        expect(two.calls).to.equal(one.calls)
        if (times < 20) continue // warm up
        known.push(one.milliseconds)
        unknown.push(two.milliseconds)
      }
      expect(median(unknown) / median(known)).to.be.within(0.5, 2)
    }).timeout(30_000)
  })

  describe('threat 9: guessing the user code', () => {
    it('locks after five wrong ones, the right one included, and sends nothing before it is right', async () => {
      await start({
        requests: { userCodes: true },
        clients: { find: () => ({ ...clients[0], client_id: 'till', backchannel_user_code_parameter: true }) },
        users: { find: () => users[0], checkUserCode: ({ user: _user, userCode: code }) => code === '4711' },
      })
      const guess = async (user_code: string) => (await client.start({ ...alice, user_code })).body.error
      for (let times = 0; times < 5; times++) expect(await guess('0000')).to.equal('invalid_user_code')
      expect([await guess('0000'), await guess('4711')]).to.deep.equal(['access_denied', 'access_denied'])
      expect(host.notices).to.have.length(0)
    })
  })

  describe('threat 10: header injection', () => {
    const breaks = ['\r\n', '\n', '\r', '\u2028', '\u2029', '\u0085', '\v', '\f', '\u0000', '\u001b']
    it('is refused at the door, in forty ways', async () => {
      await start()
      const corpus = breaks.flatMap((each) =>
        ['Bcc: evil@example.com', 'Subject: x', `${each}<h1>`, 'To:a'].map((header) => `Till 4${each}${header}`),
      )
      expect(corpus).to.have.length(40)
      for (const binding_message of corpus) {
        const { status, body } = await client.start({ ...alice, binding_message })
        expect([status, body.error], JSON.stringify(binding_message)).to.deep.equal([400, 'invalid_binding_message'])
      }
      for (const each of breaks.filter((each) => each !== '\n')) {
        const request_context = JSON.stringify({ custom_message: `Hi${each}Bcc: x`, login_hint_type: 'email' })
        expect((await client.start({ ...alice, request_context })).body.error).to.equal('invalid_request')
      }
    })
  })

  describe('threat 12: text tricks', () => {
    it('refuses what cannot be shown faithfully, and never cuts', async () => {
      await start()
      for (const binding_message of [
        'pay \u202Egnp.exe',
        '\u2066x',
        'a\u200Bb',
        'a\u00ADb',
        '\uFEFFx',
        'e\u0301',
        'x\uFE0F',
        '\u2800',
        '\uFFFD',
        'a\u034Fb',
        'x'.repeat(101),
        'x'.repeat(470),
        'x'.repeat(10_000),
      ]) {
        const { status, body } = await client.start({ ...alice, binding_message })
        expect([status, body.error], binding_message.slice(0, 20)).to.deep.equal([400, 'invalid_binding_message'])
      }
    })
  })

  describe('threat 14: clickjacking', () => {
    it('is kept off by headers on every page, in every state', async () => {
      await start({ approval: { freshLogin: false } })
      const asked = await request()
      const device = deviceOf('alice')
      const ask = await device.open(asked.link)
      const responses = [ask.response, (await deviceOf('bob').open(asked.link)).response]
      responses.push(await device.press({ ...ask, html: '' }, 'approve'))
      await device.press(ask, 'deny')
      responses.push(await device.go(ask.url), await device.go(`${host.origin}/auth/backchannel/approve`))
      responses.push(await device.go(ask.url, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }))
      const late = await request()
      host.pass(601)
      responses.push((await device.open(late.link)).response)
      expect(responses.map(({ status }) => status)).to.deep.equal([200, 403, 403, 200, 404, 403, 410])
      for (const { headers } of responses) {
        expect(headers.get('content-security-policy')).to.include("frame-ancestors 'none'")
        expect(headers.get('x-frame-options')).to.equal('DENY')
      }
    })
  })

  describe('threat 15: the secret in the link', () => {
    it('is in no log, no event and no store, and good for nobody else', async () => {
      const said: unknown[] = []
      const records: unknown[] = []
      const say = (...args: unknown[]) => void said.push(args)
      const store = memoryStore()
      await start({
        logger: { info: say, warn: say, error: say },
        store: {
          ...store,
          add(record, limit) {
            records.push(record)
            return store.add(record, limit)
          },
        },
      })
      await client.start({ ...alice, binding_message: 'W4SCT' })
      await until(() => host.notices.length === 1)
      const { link } = host.notices[0] as Notice
      const device = deviceOf('alice')
      const page = await device.open(link)
      const secret = new URL(link).searchParams.get('r')?.slice(16) ?? ''
      expect(secret).to.have.length(43)
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
      await device.press(page, 'approve')
      const written = JSON.stringify([said, host.events, records])
      for (const text of [secret, csrf, 'W4SCT', '+15550100', 'alice@example.com']) {
        expect(JSON.stringify([said, host.events]), text).not.to.include(text)
      }
      expect(written).not.to.include(secret)
      expect(page.html).not.to.include(secret)
      expect(page.response.headers.get('referrer-policy')).to.equal('no-referrer')
    })

    it('works in the session it was opened in, and in no other', async () => {
      await start()
      const asked = await request()
      const device = deviceOf('alice')
      const page = await device.open(asked.link)
      const thief = deviceOf('bob')
      for (const [name, value] of device.cookies) thief.cookies.set(name, value)
      const stolen = await thief.go(page.url)
      expect(stolen.status).not.to.equal(200)
      expect((await thief.press(page, 'approve')).status).not.to.be.within(200, 399)
      expect(await outcome(asked)).to.equal('authorization_pending')
    })
  })
})

describe('attacks on people, in a browser', function () {
  this.timeout(60_000)
  let browser: Browser
  let host: Host
  let client: ReturnType<typeof clientOf>
  let context: BrowserContext
  let page: Page

  before(async function () {
    needsBrowser(this)
    browser = await startBrowser()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    const { router, session } = login(users)
    host = await startHost({
      before: [router],
      session,
      clients: {
        find: ({ clientId: id }) => ({
          ...clients.find((each) => each.client_id === id),
          client_id: id,
          client_name: clientName,
        }),
      },
    })
    client = clientOf(host)
    context = await browser.newContext()
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    await host.close()
    clientName = 'Corner Bank till'
  })

  let clientName = 'Corner Bank till'
  const request = async (form: Record<string, string> = {}) =>
    (await client.start({ ...alice, ...viaLink, ...form })).body as { auth_req_id: string; link: string }
  const outcome = async ({ auth_req_id }: { auth_req_id: string }) => {
    const { status, body } = await client.poll(auth_req_id)
    return status === 200 ? 'tokens' : body.error
  }
  const signIn = (name: string) => follow(page.getByRole('button', { name: `Sign in as ${name}` }))
  /** Another origin: on another site (`localhost`), or on the same one (`127.0.0.1`), which cookies take for a friend. */
  async function evilSite(hostname: string, html: string): Promise<{ url: string; close(): void }> {
    const server = createServer((_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end(html))
    await new Promise<void>((resolve) => server.listen(0, hostname, resolve))
    return {
      url: `http://${hostname}:${(server.address() as AddressInfo).port}/`,
      close: () => {
        server.closeAllConnections()
        server.close()
      },
    }
  }

  it('threat 3: a forwarded link shows another user nothing, and takes no answer from them', async () => {
    const asked = await request({ binding_message: 'Till 4, 17.50 EUR' })
    await page.goto(asked.link)
    await signIn('Bob')
    expect(await page.getByRole('heading').textContent()).to.equal('This request cannot be shown here')
    expect(await page.textContent('body'))
      .not.to.include('17.50')
      .and.not.to.include('Corner Bank')
    expect(await page.locator('form, button').count()).to.equal(0)
    await shoot(page, 'flow-wrong-user')
    const posted = await page.request.post(page.url(), { form: { action: 'approve', csrf: 'x' } })
    expect(posted.status()).to.equal(403)
    expect(await outcome(asked)).to.equal('authorization_pending')
    expect(host.events.map(({ type }) => type)).to.include('user.mismatch')
  })

  it('threat 11: texts of a client become no elements of the page', async () => {
    const documents: string[] = []
    for (const text of ['x', ...hostileText.filter((each) => !each.includes('\u0000'))]) {
      clientName = text
      const { link } = await request({ login_hint: 'bob@example.com' })
      documents.push((await deviceOfBob(link)).replaceAll(text, 'x'))
      await host.router.backchannel.cancel(new URL(link).searchParams.get('r') ?? '')
    }
    const shapes = await shapesOf(page, documents)
    expect(shapes[0]).to.include('BUTTON')
    for (const shape of shapes) expect(shape).to.equal(shapes[0])
  })

  /** The page of a link as Bob gets it. */
  async function deviceOfBob(link: string): Promise<string> {
    await page.goto(link)
    const button = page.getByRole('button', { name: 'Sign in as Bob' })
    if (await button.isVisible()) await follow(button)
    return (await page.request.get(page.url())).text()
  }

  it('threat 13: another site cannot answer with the session of the user', async () => {
    const asked = await request()
    await page.goto(asked.link)
    await signIn('Alice')
    const url = page.url()
    const csrf = await page.locator('input[name=csrf]').inputValue()
    for (const hostname of ['localhost', '127.0.0.1']) {
      const evil = await evilSite(
        hostname,
        `<form method="post" action="${url}"><input name="csrf" value="${csrf}"><input name="action" value="approve"></form>
<script>document.forms[0].submit()</script>`,
      )
      const attack = await context.newPage()
      const answered = attack.waitForResponse((response) => response.request().method() === 'POST')
      await attack.goto(evil.url).catch(() => {}) // it navigates away by itself
      expect((await answered).status(), hostname).to.be.within(400, 499)
      evil.close()
    }
    expect(await outcome(asked)).to.equal('authorization_pending')
    await follow(page.getByRole('button', { name: 'Approve' }))
    expect(await page.getByRole('heading').textContent()).to.equal('Approved')
    expect(await outcome(asked)).to.equal('tokens')
  })

  it('threat 14: another site cannot frame the page', async () => {
    const { link } = await request()
    await page.goto(link)
    await signIn('Alice')
    const evil = await evilSite('127.0.0.1', `<iframe src="${page.url()}"></iframe>`)
    const attack = await context.newPage()
    const refused: string[] = []
    attack.on('console', (message) => refused.push(message.text()))
    await attack.goto(evil.url)
    await until(() => refused.some((text) => text.includes('frame-ancestors')))
    expect(await attack.frames()[1]?.locator('button').count()).to.equal(0)
    evil.close()
  })

  it('threat 15: the secret leaves the address bar and the history at once', async () => {
    const asked = await request()
    const secret = new URL(asked.link).searchParams.get('r') ?? ''
    const seen: string[] = []
    page.on('framenavigated', (frame) => seen.push(frame.url()))
    const referers: (string | undefined)[] = []
    page.on('request', (each) => referers.push(each.headers().referer))
    await page.goto(asked.link)
    await signIn('Alice')
    await follow(page.getByRole('button', { name: 'Deny' }))
    await page.getByRole('heading', { name: 'Denied' }).waitFor()
    await page.goBack()
    expect(seen.join('\n')).not.to.include(secret)
    expect(referers.join('\n')).not.to.include(secret)
    const cookies = (await context.cookies()).filter(({ name }) => name.startsWith('ciba-'))
    expect(cookies.length).to.be.greaterThan(0)
    for (const cookie of cookies) expect(cookie).to.include({ httpOnly: true, sameSite: 'Lax' })
  })

  it('threat 16: a cookie planted before the login is worth nothing after it', async () => {
    const asked = await request()
    await page.goto(asked.link)
    const [planted] = (await context.cookies()).filter(({ name }) => name.startsWith('ciba-'))
    await signIn('Alice')
    const [fresh] = (await context.cookies()).filter(({ name }) => name.startsWith('ciba-'))
    expect(fresh?.value).not.to.equal(planted?.value)
    if (planted !== undefined) await context.addCookies([planted])
    await follow(page.getByRole('button', { name: 'Approve' }))
    expect(await page.getByRole('heading').textContent()).to.equal('This request cannot be shown here')
    expect(await outcome(asked)).to.equal('authorization_pending')
  })

  it('threat 17: nothing in the address leads away from our own pages', async () => {
    const asked = await request()
    const away = ['redirect', 'next', 'returnTo', 'url', 'post_logout_redirect_uri']
    const evil = ['https://evil.example/', '//evil.example', 'javascript:alert(1)', '/\\evil.example']
    const query = away.map((name, index) => `${name}=${encodeURIComponent(evil[index % evil.length] ?? '')}`).join('&')
    await page.goto(`${asked.link}&${query}`)
    expect(page.url()).to.match(
      new RegExp(`^${host.origin}/login\\?next=%2Fauth%2Fbackchannel%2Fapprove%2F[\\w-]{16}$`),
    )
    await signIn('Alice')
    await page.goto(`${page.url()}?${query}`)
    await follow(page.getByRole('button', { name: 'Deny' }))
    expect(page.url()).to.match(new RegExp(`^${host.origin}/auth/backchannel/approve/[\\w-]{16}$`))
    expect(await page.getByRole('heading').textContent()).to.equal('Denied')
  })

  it('shows the whole way to a user who did not start it, without a script', async () => {
    const noScript = await browser.newContext({ javaScriptEnabled: false, locale: 'de-DE' })
    const plain = await noScript.newPage()
    const asked = await request({ binding_message: 'K7Q-2M4' })
    await plain.goto(asked.link)
    await follow(plain.getByRole('button', { name: 'Sign in as Alice' }))
    expect(await plain.getByRole('heading', { level: 1 }).textContent()).to.equal(
      'Corner Bank till bittet um Ihre Zustimmung',
    )
    await shoot(plain, 'flow-ask-de')
    await follow(plain.getByRole('button', { name: 'Das habe ich nicht ausgelöst' }))
    expect(await plain.getByRole('heading').textContent()).to.equal('Danke für Ihren Hinweis')
    await shoot(plain, 'flow-reported-de')
    expect(await outcome(asked)).to.equal('access_denied')
    expect((await client.start(alice)).status).to.equal(403)
    await noScript.close()
  })
})

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}
