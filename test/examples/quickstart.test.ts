import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { follow, needsBrowser, shoot, startBrowser } from '../helpers/browser.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'

describe('examples/quickstart, as a person uses it', function () {
  this.timeout(60_000)
  let browser: Browser
  let program: Program
  let origin: string
  before(async function () {
    needsBrowser(this)
    browser = await startBrowser()
    const port = await freePort()
    program = startProgram(['examples/quickstart/start.mjs'], { PORT: String(port) })
    await program.line(/Open http/)
    origin = `http://127.0.0.1:${port}`
  })
  after(async () => {
    await browser?.close()
    await program?.stop()
  })

  it('goes from a click to tokens', async () => {
    const context = await browser.newContext()
    const till = await context.newPage()
    await till.goto(origin)
    await till.getByText('Start, and show the link here').click()
    await till.locator('#qr svg').waitFor()
    const [phone] = await Promise.all([context.waitForEvent('page'), till.locator('#approve').click()])
    await follow(phone.getByRole('button', { name: 'Sign in as Alice' }))
    await till.getByText('authorization_pending').first().waitFor({ timeout: 20_000 })
    await follow(phone.locator('button[value=approve]'))
    await till.getByText('Tokens for alice.').waitFor({ timeout: 20_000 })
    expect(await till.locator('#wire').textContent())
      .to.include('authorization_pending')
      .and.include('id_token')
    await shoot(till, 'quickstart')
  })

  it('prints the link to the console', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(origin)
    await page.getByText('Start, and send the link').click()
    expect(await program.line(/approve\?r=/)).to.include(`${origin}/auth/backchannel/approve?r=`)
  })
})
