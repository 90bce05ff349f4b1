import { expect } from 'chai'
import { emailChannel } from 'express-ciba'
import nodemailer from 'nodemailer'
import * as client from 'openid-client'
import type { Browser, Page } from 'playwright-core'
import { login } from '../../examples/quickstart/login.ts'
import { follow, needsBrowser, shoot, startBrowser } from '../helpers/browser.ts'
import { type Host, startHost, users } from '../helpers/host.ts'
import { startMailbox } from '../helpers/mailbox.ts'

describe('the whole way: openid-client, a real e-mail, a real browser', function () {
  this.timeout(60_000)
  let browser: Browser
  let page: Page
  let host: Host
  let mailbox: Awaited<ReturnType<typeof startMailbox>>
  let config: client.Configuration

  before(async function () {
    needsBrowser(this)
    browser = await startBrowser()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    mailbox = await startMailbox()
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: mailbox.port, secure: false })
    const { router, session } = login(users)
    host = await startHost({
      before: [router],
      session,
      channels: [emailChannel({ transport, from: 'login@example.com' })],
      polling: { intervalSeconds: 1 },
    })
    config = await client.discovery(
      new URL(host.origin),
      'till',
      undefined,
      client.ClientSecretBasic('till-secret-0123456789-0123456789'),
      { execute: [client.allowInsecureRequests] },
    )
    page = await (await browser.newContext()).newPage()
  })
  afterEach(async () => {
    await page.context().close()
    await host.close()
    await mailbox.close()
  })

  const initiate = () =>
    client.initiateBackchannelAuthentication(config, {
      scope: 'openid email',
      login_hint: 'alice@example.com',
      binding_message: 'Till 4, 17.50 EUR',
    })

  async function openLinkAndSignInAs(name: string): Promise<string> {
    const { text, headers } = await mailbox.next()
    expect(headers).to.include('To: alice@example.com')
    const link = /http:\/\/127\.0\.0\.1:\d+\/auth\/backchannel\/approve\?r=[\w-]+/.exec(text)?.[0] ?? ''
    await page.goto(link)
    await follow(page.getByRole('button', { name: `Sign in as ${name}` }))
    return link
  }

  it('approves, and the poll turns into validated tokens', async () => {
    const started = await initiate()
    const tokens = client.pollBackchannelAuthenticationGrant(config, started)
    const link = await openLinkAndSignInAs('Alice')
    expect(page.url()).not.to.include(new URL(link).searchParams.get('r'))
    const text = await page.locator('main').textContent()
    expect(text).to.include('Corner Bank till').and.include('Till 4, 17.50 EUR')
    await shoot(page, 'email-ask')
    await follow(page.locator('button[value=approve]'))
    await shoot(page, 'email-approved')
    expect((await tokens).claims()).to.include({ sub: 'alice', aud: 'till' })
  })

  it('denies', async () => {
    const started = await initiate()
    const outcome = client.pollBackchannelAuthenticationGrant(config, started).catch((error) => error.error)
    await openLinkAndSignInAs('Alice')
    await follow(page.locator('button[value=deny]'))
    expect(await outcome).to.equal('access_denied')
  })

  it('shows another user nothing', async () => {
    await initiate()
    await openLinkAndSignInAs('Bob')
    expect(await page.locator('button').count()).to.equal(0)
    expect(await page.locator('body').textContent()).not.to.include('17.50')
  })

  it('says when it is too late', async () => {
    await initiate()
    host.pass(601)
    const { text } = await mailbox.next()
    const answer = await page.goto(/http:\S+approve\?r=[\w-]+/.exec(text)?.[0] ?? '')
    expect(answer?.status()).to.equal(410)
  })
})
