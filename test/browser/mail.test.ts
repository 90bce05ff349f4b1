import { expect } from 'chai'
import { emailChannel, type Mail } from 'express-ciba'
import type { Browser } from 'playwright-core'
import { needsBrowser, shoot, startBrowser } from '../helpers/browser.ts'
import { hostileText } from '../helpers/hostileText.ts'
import { noticeWith } from '../helpers/notice.ts'
import { shapesOf } from '../helpers/shapes.ts'

async function htmlOf(...changes: Parameters<typeof noticeWith>): Promise<string> {
  const mails: Mail[] = []
  const transport = { sendMail: async (mail: Mail) => ({ messageId: String(mails.push(mail)) }) }
  await emailChannel({ transport, from: 'login@example.com' }).send(noticeWith(...changes))
  return mails[0]?.html ?? ''
}

describe('the mail in a browser', function () {
  this.timeout(60_000)
  let browser: Browser
  before(async function () {
    needsBrowser(this)
    browser = await startBrowser()
  })
  after(() => browser?.close())

  it('fits, and is kept as pictures', async () => {
    for (const width of [320, 768]) {
      const page = await browser.newPage({ viewport: { width, height: 600 } })
      for (const locale of ['en', 'de', 'ja']) {
        await page.setContent(await htmlOf({ locale, bindingMessage: 'K7Q-2M4' }))
        expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).to.equal(0)
        await shoot(page, `mail-${locale}-${width}`)
      }
      await page.close()
    }
  })

  it('threat 11: has the same elements whatever the texts in it are', async () => {
    const filled = (text: string) =>
      htmlOf({ message: text, bindingMessage: text, clientName: text, link: text, domain: text, locale: text })
    const page = await browser.newPage()
    const shapes = await shapesOf(page, await Promise.all(['x', ...hostileText].map(filled)))
    expect(shapes[0]).to.include('A[href,style]')
    for (const [index, shape] of shapes.entries()) expect(shape, hostileText[index - 1]).to.equal(shapes[0])
    await page.close()
  })
})
