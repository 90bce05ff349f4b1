import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import { expect } from 'chai'
import type { Browser } from 'playwright-core'
import { createRender } from '../../lib/protocol/approval/view/render.ts'
import { needsBrowser, shoot, startBrowser } from '../helpers/browser.ts'
import { contextFor } from '../helpers/context.ts'
import { hostileText } from '../helpers/hostileText.ts'
import { pages, question } from '../helpers/pages.ts'
import { shapesOf } from '../helpers/shapes.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { settings, hooks } = contextFor()
const render = createRender(settings.page, hooks, 'login.example.com')

describe('the page in a browser', function () {
  this.timeout(120_000)
  let browser: Browser
  before(async function () {
    needsBrowser(this)
    browser = await startBrowser()
  })
  after(() => browser?.close())

  const languages: Readonly<Record<string, readonly string[]>> = { ask: ['en', 'fr', 'de', 'es', 'pt', 'ja'] }
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`is accessible in every state and language: ${colorScheme}`, async () => {
      const page = await browser.newPage({ colorScheme })
      for (const [name, content] of Object.entries(pages)) {
        for (const language of languages[name] ?? ['en', 'ja']) {
          await page.setContent(render(content, [language]).body)
          await page.evaluate(axe)
          const { violations } = await page.evaluate<AxeResults>(
            "axe.run({ resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })",
          )
          expect(
            violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`),
            `${name} ${language}`,
          ).to.deep.equal([])
        }
      }
      await page.close()
    })
  }

  it('fits small screens and large text, and is kept as pictures', async () => {
    for (const [width, colorScheme] of [
      [320, 'light'],
      [320, 'dark'],
      [768, 'dark'],
      [1280, 'light'],
    ] as const) {
      const page = await browser.newPage({ viewport: { width, height: 700 }, colorScheme })
      for (const [name, content] of Object.entries(pages)) {
        for (const language of width === 320 ? ['en', 'de', 'ja'] : ['en']) {
          await page.setContent(render(content, [language]).body)
          const sideways = () => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
          expect(await sideways(), `${name} ${language} at ${width}`).to.be.at.most(0)
          await shoot(page, `page-${name}-${language}-${width}-${colorScheme}`)
          await page.evaluate("document.documentElement.style.fontSize = '200%'")
          expect(await sideways(), `${name} ${language} at ${width}, text at 200 %`).to.be.at.most(0)
        }
      }
      await page.close()
    }
  })

  it('has buttons that are large enough, deny no smaller than approve', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 700 } })
    for (const language of ['en', 'fr', 'de', 'es', 'pt', 'ja']) {
      await page.setContent(render(question, [language]).body)
      const [deny, approve, notMe] = await page.evaluate<readonly { width: number; height: number }[]>(
        "[...document.querySelectorAll('button')].map((each) => each.getBoundingClientRect().toJSON())",
      )
      for (const each of [deny, approve, notMe]) expect(each?.height).to.be.at.least(44)
      expect(deny?.width).to.be.at.least(approve?.width ?? 1000)
      expect(deny?.height).to.equal(approve?.height)
    }
    await page.close()
  })

  it('threat 11: has the same elements whatever the texts in it are', async () => {
    const filled = (text: string) =>
      render(
        {
          ...question,
          clientName: text,
          bindingMessage: text,
          choices: [text, 'a', 'b'],
          scope: ['openid', text],
          authorizationDetails: [{ type: text, name: text, [text]: 'value' }],
          place: text,
          csrf: text,
          action: `/approve/${text}`,
          logoUri: `https://cdn.example/${text}`,
        },
        ['en', text],
      ).body
    const page = await browser.newPage()
    const shapes = await shapesOf(page, ['x', ...hostileText].map(filled))
    expect(shapes[0]).to.include('BUTTON[class,name,value]')
    for (const [index, shape] of shapes.entries()) expect(shape, hostileText[index - 1]).to.equal(shapes[0])
    await page.close()
  })

  it('works under its own policy, and runs nothing that is put into it', async () => {
    const page = await browser.newPage()
    const complaints: string[] = []
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    const { body, headers } = render(question, ['en'])
    await page.route('https://login.example.com/**', (route) =>
      route.fulfill({
        status: 200,
        headers: { ...headers },
        body: body.replace('</main>', '<script>window.ran=1</script></main>'),
      }),
    )
    await page.goto('https://login.example.com/approve')
    expect(await page.evaluate("'ran' in window")).to.equal(false)
    expect(await page.evaluate("getComputedStyle(document.querySelector('.deny')).backgroundColor")).to.equal(
      'rgb(42, 47, 58)',
    )
    expect(complaints).to.have.length(1)
    await page.close()
  })
})
