import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { follow, needsBrowser, startBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { skipWithout, startPostgres } from '../helpers/servers.ts'

describe('an agent asks a human on a login server with passport and PostgreSQL', function () {
  this.timeout(60_000)
  let database: Awaited<ReturnType<typeof startPostgres>>
  let program: Program
  let browser: Browser
  let page: Page
  let origin: string
  before(async function () {
    needsBrowser(this)
    skipWithout(this, 'postgres')
    database = await startPostgres()
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    program = startProgram(['--import', 'tsx', 'examples/existing-login/server.ts'], {
      PORT: String(port),
      DATABASE_URL: database.url,
    })
    await program.line(/existing login with CIBA/)
    browser = await startBrowser()
  })
  beforeEach(async () => {
    page = await (await browser.newContext()).newPage()
  })
  after(async () => {
    await browser?.close()
    await program?.stop()
    await database?.close()
  })

  async function signIn(password: string): Promise<void> {
    await page.getByLabel('E-mail').fill('alice@example.com')
    await page.getByLabel('Password').fill(password)
    await follow(page.getByRole('button', { name: 'Sign in' }))
  }

  async function askAgent(): Promise<{ agent: Program; link: string; ended: Promise<unknown> }> {
    const agent = startProgram(
      ['--import', 'tsx', 'examples/ai-agent/agent.ts', 'alice@example.com', 'Invoice 4711', '17.50'],
      { ISSUER: origin },
    )
    const ended = new Promise((resolve) => agent.child.once('exit', resolve))
    return { agent, ended, link: /http\S+/.exec(await agent.line(/Ask alice/))?.[0] ?? '' }
  }

  it("leaves the server's own login as it was", async () => {
    await page.goto(`${origin}/login`)
    await signIn('wrong')
    expect(page.url()).to.equal(`${origin}/login`)
    await signIn('wonderland')
    expect(await page.textContent('body')).to.equal('{"user":"alice@example.com"}')
  })

  it('signs in on the way, approves, and the agent pays', async () => {
    const { agent, link, ended } = await askAgent()
    await page.goto(link)
    await signIn('wonderland')
    expect(await page.locator('main').textContent())
      .to.include('Payment')
      .and.include('17.50 EUR')
    await follow(page.locator('button[value=approve]'))
    expect(await agent.line(/approved/)).to.equal('u-1001 approved. Paying 17.50 EUR for Invoice 4711 with the token.')
    expect(await ended).to.equal(0)
  })

  it('denies, and the agent does not pay', async () => {
    const { agent, link, ended } = await askAgent()
    await page.goto(link)
    await signIn('wonderland')
    await follow(page.locator('button[value=deny]'))
    expect(await agent.line(/Not paying/)).to.equal('Not paying: access_denied.')
    expect(await ended).to.equal(1)
  })
})
