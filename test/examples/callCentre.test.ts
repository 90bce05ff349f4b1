import { expect } from 'chai'
import type { Browser, Page } from 'playwright-core'
import { follow, needsBrowser, startBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { skipWithout, startPostgres } from '../helpers/servers.ts'

describe('a call centre identifies a caller', function () {
  this.timeout(60_000)
  let database: Awaited<ReturnType<typeof startPostgres>>
  let login: Program
  let centre: Program
  let browser: Browser
  let screen: Page
  let origin: string
  let ticks = 0
  before(async function () {
    needsBrowser(this)
    skipWithout(this, 'postgres')
    database = await startPostgres()
    const [loginPort, port] = [await freePort(), await freePort()]
    const STAFF_TOKEN = 'a-token-for-the-staff-screen'
    login = startProgram(['--import', 'tsx', 'examples/existing-login/server.ts'], {
      PORT: String(loginPort),
      DATABASE_URL: database.url,
      STAFF_TOKEN,
    })
    await login.line(/existing login with CIBA/)
    origin = `http://127.0.0.1:${port}`
    const ISSUER = `http://127.0.0.1:${loginPort}`
    centre = startProgram(['--import', 'tsx', 'examples/call-centre/server.ts'], {
      PORT: String(port),
      ISSUER,
      STAFF_TOKEN,
    })
    await centre.line(/call centre at/)
    browser = await startBrowser()
  })
  beforeEach(async () => {
    screen = await (await browser.newContext()).newPage()
  })
  after(async () => {
    await browser?.close()
    await centre?.stop()
    await login?.stop()
    await database?.close()
  })

  /** Asks with a word of its own. */
  async function ask(email = 'alice@example.com'): Promise<string> {
    ticks += 1
    const word = `KIWI-${ticks}`
    await screen.goto(origin)
    await screen.getByLabel('E-mail').fill(email)
    await screen.getByLabel('Word to read out').fill(word)
    await screen.getByRole('button', { name: 'Ask the caller' }).click()
    return word
  }
  const says = (text: string | RegExp) => screen.locator('output').filter({ hasText: text }).waitFor()
  /** The link that the console channel printed first. */
  const firstLink = async () => /http\S+/.exec(await login.line(/http\S+approve\?r=/))?.[0] ?? ''

  it('waits with a countdown, and hears who it is', async () => {
    const word = await ask()
    await says(/Waiting for the caller \(1[012]\d s\)/)
    const link = await firstLink()
    const phone = await (await browser.newContext()).newPage()
    await phone.goto(link)
    await phone.getByLabel('E-mail').fill('alice@example.com')
    await phone.getByLabel('Password').fill('wonderland')
    await follow(phone.getByRole('button', { name: 'Sign in' }))
    expect(await phone.locator('main').textContent()).to.include(word)
    await follow(phone.locator('button[value=approve]'))
    await says('The caller is u-1001')
  })

  it('is told when it asks to send again too soon, and cancels', async () => {
    await ask()
    await says(/Waiting/)
    await screen.getByRole('button', { name: 'Send again' }).click()
    await says(/sent/)
    await screen.getByRole('button', { name: 'Cancel' }).click()
    await says('Nobody answered')
  })

  it('says when nobody has that address', async () => {
    await ask('nobody@example.com')
    await says('unknown_user_id')
  })

  it('leaves the staff routes closed to others', async () => {
    const { status } = await fetch(`${new URL(await firstLink()).origin}/staff/requests/x/cancel`, {
      method: 'POST',
    })
    expect(status).to.equal(401)
  })
})
