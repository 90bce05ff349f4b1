import { createHash } from 'node:crypto'
import { expect } from 'chai'
import type { PageOptions } from 'express-ciba'
import { fill, html } from '../../lib/core/html.ts'
import { createRender } from '../../lib/protocol/approval/view/render.ts'
import { contextFor } from '../helpers/context.ts'
import { pages, plainQuestion, question } from '../helpers/pages.ts'

/** By an engine with these options of the page. */
function render(page = pages.ask, languages: (string | undefined)[] = ['en'], options: PageOptions = {}) {
  const { settings, hooks } = contextFor({ page: options })
  return createRender(settings.page, hooks, 'login.example.com')(page ?? question, languages)
}
const mainOf = (body: string) => body.slice(body.indexOf('<main'))

describe('html', () => {
  it('escapes text for elements and attributes, and nothing twice', () => {
    expect(String(html`<p title="${'"\'`'}">${'<b>&'}${html`<i>${'>'}</i>`}</p>`)).to.equal(
      '<p title="&quot;&#39;&#96;">&lt;b&gt;&amp;<i>&gt;</i></p>',
    )
  })

  it('leaves out what is absent and writes lists', () => {
    expect(String(html`${undefined}${false}${[1, '<', [html`<br>`]]}`)).to.equal('1&lt;<br>')
  })

  it('fills sentences once', () => {
    expect(String(fill('<{client}> {other}', { client: '{other}&' }))).to.equal('&lt;{other}&amp;&gt; {other}')
  })
})

describe('a rendered page', () => {
  for (const [name, page] of Object.entries(pages)) {
    it(`is whole and static: ${name}`, () => {
      const { body, headers } = render(page)
      expect(body).to.match(/^<!doctype html>\n<html lang="en" dir="ltr">/)
      expect(body.match(/<h1>/g)).to.have.length(1)
      expect(body).not.to.match(/<script|\son\w+=|\sstyle=|undefined|\[object/)
      const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
      const hash = createHash('sha256').update(style).digest('base64')
      expect(headers['Content-Security-Policy']).to.include(`style-src 'sha256-${hash}';`)
    })
  }

  it('has the headers that keep it from being framed, stored, referred to or scripted', () => {
    expect(render(plainQuestion).headers).to.include({
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    })
    const policy = String(render(plainQuestion).headers['Content-Security-Policy'])
    expect(policy.replace(/style-src [^;]+; /, '')).to.equal(
      "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    )
  })

  it('allows images from where the logo is, and shows https logos only', () => {
    const logo = (logoUri: string) => render({ ...plainQuestion, logoUri })
    const good = logo('https://cdn.example/logo.png?a=1&b=2')
    expect(good.headers['Content-Security-Policy']).to.include(' img-src https://cdn.example;')
    expect(good.body).to.include('src="https://cdn.example/logo.png?a=1&amp;b=2"')
    for (const bad of ['http://cdn.example/x.png', 'data:image/png;base64,AA', 'javascript:alert(1)', 'https://']) {
      expect(logo(bad).body).not.to.include('<img')
      expect(logo(bad).headers['Content-Security-Policy']).not.to.include('img-src')
    }
  })

  it('puts deny before approve, so that the Enter key denies', () => {
    const values = [...render().body.matchAll(/<button [^>]*value="(\w+)"/g)].map(([, value]) => value)
    expect(values).to.deep.equal(['deny', 'approve', 'not_me'])
  })

  it('offers choices in place of the message', () => {
    const { body } = render(pages.choices)
    expect([...body.matchAll(/name="choice" value="([^"]+)" required/g)].map(([, value]) => value)).to.deep.equal([
      'K7Q-2M4',
      'R3B-9T1',
      'W5H-6X8',
    ])
    expect(body).not.to.include('class="code"')
  })

  it('shows every member of authorization details of an unknown type', () => {
    const detail = { type: 'x_y', list: [{ a: 1 }, { b: [true, null] }], deep: { er: { est: 'end' } } }
    const { body } = render({ ...plainQuestion, authorizationDetails: [detail] })
    const rows = [...body.matchAll(/<dt>([^<]+)<\/dt><dd><bdi>([^<]*)/g)].map(([, label, value]) => [label, value])
    expect(rows).to.deep.equal([
      ['list 1, a', '1'],
      ['list 2, b', 'true, null'],
      ['deep, er, est', 'end'],
    ])
  })

  it("takes the host's words for a type", () => {
    const details = {
      payment_initiation: () => ({ title: 'Pay <now>', rows: [['Amount', '123.50 EUR']] as const }),
    }
    const { body } = render(question, ['en'], { details })
    expect(body).to.include('<h3>Pay &lt;now&gt;</h3><dl><div><dt>Amount</dt><dd><bdi>123.50 EUR</bdi>')
    expect(body).to.include('list_accounts, read_balances').and.not.to.include('Merchant A')
  })

  it('does not take the words of a type from the prototype', () => {
    const { body } = render({ ...plainQuestion, authorizationDetails: [{ type: 'constructor', a: 'b' }] })
    expect(body).to.include('<h3>constructor</h3>').and.include('<bdi>b</bdi>')
  })

  it('says scopes in words, and names those without', () => {
    const { body } = render(question, ['en'], { texts: { en: { scopes: { 'payments:read': 'see your payments' } } } })
    expect(body).to.include('see your payments').and.not.to.include('payments:read')
    expect(render({ ...plainQuestion, scope: ['toString'] }).body).to.include('use “toString”')
  })

  it("tells times in the language and the host's zone", () => {
    const asked = (language: string, timeZone?: string) =>
      /<time[^>]*>([^<]+)/
        .exec(render(question, [language], { ...(timeZone && { timeZone }) }).body)?.[1]
        ?.replaceAll('\u202F', ' ')
    expect(asked('en-US')).to.equal('2 minutes ago · 2:04 PM UTC')
    expect(asked('de-AT', 'Europe/Vienna')).to.match(/^vor 2 Minuten · 15:04 (MEZ|GMT\+1)$/)
  })
})

describe('the language of a page', () => {
  const languageOf = (...wanted: (string | undefined)[]) =>
    /<html lang="([^"]+)" dir="(\w+)"/.exec(render(plainQuestion, wanted).body)?.[1]

  it('is the first wanted one that there is', () => {
    expect(languageOf(undefined, 'nl', 'pt-BR', 'de')).to.equal('pt-BR')
    expect(languageOf('ja_JP')).to.equal('ja-JP')
    expect(languageOf('FR')).to.equal('fr')
    expect(languageOf('"><script>', '', 'x'.repeat(100), '-', 'en--')).to.equal('en')
  })

  it('covers every sentence in six languages, each in its own words', () => {
    for (const name of Object.keys(pages)) {
      const bodies = ['en', 'fr', 'de', 'es', 'pt', 'ja'].map((each) => mainOf(render(pages[name], [each]).body))
      expect(new Set(bodies)).to.have.length(6)
    }
  })

  it('may be a new one, from right to left, with English for what it leaves out', () => {
    const texts = { he: { approve: 'אישור' }, 'EN-gb': { deny: 'Decline' } }
    const { body } = render(plainQuestion, ['he-IL'], { texts })
    expect(body).to.include('<html lang="he-IL" dir="rtl">').and.include('אישור').and.include('Deny')
    expect(render(plainQuestion, ['en-GB'], { texts }).body).to.include('Decline')
    expect(render(plainQuestion, ['en-US'], { texts }).body).to.include('Deny')
  })
})

describe('the look of a page', () => {
  it('takes colours, also for the dark', () => {
    const { body } = render(plainQuestion, ['en'], {
      theme: { accent: 'rebeccapurple', dark: { onAccent: '#010203' } },
    })
    expect(body).to.include('--accent:rebeccapurple;').and.include('--on-accent:#010203;')
  })

  it('refuses what it does not know or could not contain', () => {
    const theme = (value: object) => () => render(plainQuestion, ['en'], { theme: value })
    expect(theme({ acent: 'red' })).to.throw(TypeError, 'page.theme')
    for (const bad of ['red;}', '</style>', 'red/*', 'u\\72l(x)', 5]) {
      expect(theme({ accent: bad }), String(bad)).to.throw(TypeError, '"accent"')
      expect(theme({ dark: { accent: bad } }), String(bad)).to.throw(TypeError, '"accent"')
    }
  })

  it('can be all the own: a template gets the view and may load own styles, but no scripts', () => {
    const { body, headers, status } = render(question, ['de'], {
      template: (view) => `${view.state} ${view.locale} ${view.strings.approve} ${view.domain}`,
    })
    expect([status, body]).to.deep.equal([200, 'ask de Zustimmen login.example.com'])
    expect(headers['Content-Security-Policy'])
      .to.include("style-src 'self';")
      .and.include("img-src 'self';")
      .and.not.include('script-src')
  })
})
