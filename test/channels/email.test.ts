import { expect } from 'chai'
import { emailChannel } from 'express-ciba'
import fc from 'fast-check'
import nodemailer from 'nodemailer'
import { startMailbox } from '../helpers/mailbox.ts'
import { failureOf, noticeWith } from '../helpers/notice.ts'

const toMailbox = ({ port }: { port: number }) => nodemailer.createTransport({ host: '127.0.0.1', port, secure: false })
const from = '"Example Bank" <login@example.com>'

describe('the e-mail channel', () => {
  let mailbox: Awaited<ReturnType<typeof startMailbox>>
  let transport: ReturnType<typeof toMailbox>
  beforeEach(async () => {
    mailbox = await startMailbox()
    transport = toMailbox(mailbox)
  })
  afterEach(() => mailbox.close())

  const sent = async (...args: Parameters<typeof noticeWith>) => {
    const result = await emailChannel({ transport, from }).send(noticeWith(...args))
    return { result, ...(await mailbox.next()) }
  }

  it('sends text and HTML with the link, the message and the binding message', async () => {
    const { text, html, to } = await sent({ bindingMessage: 'K7Q-2M4', message: 'Hello Alice,\nplease:' })
    const { link } = noticeWith()
    expect(to).to.deep.equal(['alice@example.com'])
    expect(text).to.include(`Hello Alice,\r\nplease: ${link}`).and.include('K7Q-2M4').and.include('Corner Bank till')
    expect(html).to.include(`href="${link}"`).and.include('K7Q-2M4').and.include('10 minutes')
  })

  it('names the message, and marks it as sent by a program', async () => {
    const { headers, result } = await sent()
    expect(result?.messageId).to.match(/^<[^>]+@[^>]+>$/)
    expect(headers).to.include.members([
      `Message-ID: ${result?.messageId}`,
      'Auto-Submitted: auto-generated',
      'X-Auto-Response-Suppress: All',
      'From: Example Bank <login@example.com>',
      'Subject: Please confirm a request',
    ])
    expect(headers.join()).not.to.match(/List-Unsubscribe|Precedence/i)
  })

  it('speaks the language of the user, in whole sentences', async () => {
    const subjects = []
    for (const locale of ['en', 'fr-CA', 'de', 'es', 'pt_BR', 'ja', 'tlh', '"><b>']) {
      const { html, text, headers } = await sent({ locale })
      expect(html + text).not.to.match(/\{\w+\}|undefined/)
      subjects.push(headers.find((each) => each.startsWith('Subject:')))
    }
    expect(new Set(subjects).size).to.equal(6)
  })

  it('takes sentences of the host, and a whole body', async () => {
    const texts = { en: { subject: 'Is it you?' } }
    const body = () => ({ text: 'own text', html: '<p>own html</p>' })
    await emailChannel({ transport, from, texts, body }).send(noticeWith())
    const { headers, text, html } = await mailbox.next()
    expect(headers).to.include('Subject: Is it you?')
    expect([text.trim(), html.trim()]).to.deep.equal(['own text', '<p>own html</p>'])
  })

  it('threat 10: lets nothing of a request into a header', async () => {
    const { headers: plain } = await sent()
    const names = (headers: readonly string[]) => headers.map((each) => each.split(':')[0]).join()
    const text = fc.oneof(
      fc.string(),
      fc.string().map((each) => `\r\nBcc: evil@example.com\r\n${each}`),
      fc.constant('\n\n<h1>'),
      fc.constant('\u2028Bcc: evil@example.com'),
    )
    await fc.assert(
      fc.asyncProperty(text, async (hostile) => {
        const changes = { message: hostile, bindingMessage: hostile, clientName: hostile, reference: hostile }
        const { headers, to } = await sent(changes)
        expect(to).to.deep.equal(['alice@example.com'])
        expect(names(headers)).to.equal(names(plain))
        if (hostile.trim().length > 3) expect(headers.join('\n')).not.to.include(hostile.trim())
      }),
      { numRuns: 25 },
    )
  }).timeout(30_000)

  it('goes to the address on file, as one address', async () => {
    const channel = emailChannel({ transport, from })
    expect(channel.address({ sub: 'a', email: 'a@example.com' })).to.equal('a@example.com')
    expect(channel.address({ sub: 'a', email: 'a@example.com', email_verified: true })).to.equal('a@example.com')
    expect(channel.address({ sub: 'a', email: 'a@example.com', email_verified: false })).to.equal(undefined)
    expect(channel.address({ sub: 'a', phone_number: '+1' })).to.equal(undefined)
    for (const to of ['a@example.com, b@example.com', 'a@example.com\r\nBcc: b@example.com', 'a@b <c@example.com>']) {
      await failureOf(channel.send(noticeWith({ to })))
      expect(mailbox.messages.splice(0).flatMap((each) => each.to)).to.have.length.at.most(1)
    }
  })

  for (const [answer, failure] of [
    ['550 5.1.1 no such user', 'undeliverable'],
    ['553 mailbox name not allowed', 'undeliverable'],
    ['550 5.7.1 blocked by policy', 'blocked'],
    ['452 4.2.2 mailbox full', 'try_later'],
    ['421 4.3.2 going down', 'try_later'],
  ]) {
    it(`says ${failure} after "${answer}"`, async () => {
      await mailbox.close()
      mailbox = await startMailbox({ refuse: () => answer })
      transport = toMailbox(mailbox)
      expect(await failureOf(emailChannel({ transport, from }).send(noticeWith()))).to.equal(failure)
    })
  }

  it('says undeliverable when there is no address, or the server takes the mail for nobody', async () => {
    expect(await failureOf(emailChannel({ transport, from }).send(noticeWith({ to: '' })))).to.equal('undeliverable')
    const picky = { sendMail: async () => ({ rejected: ['alice@example.com'] }) }
    expect(await failureOf(emailChannel({ transport: picky, from }).send(noticeWith()))).to.equal('undeliverable')
  })

  it('takes a transport that names no message, and has nothing to verify', async () => {
    const channel = emailChannel({ transport: { sendMail: async () => ({}) }, from })
    expect(await channel.send(noticeWith())).to.deep.equal({})
    await channel.verify?.()
  })

  it('says try_later when the mail server is away, or does not let us in', async () => {
    const auth = { user: 'bank', pass: 'wrong' }
    const locked = nodemailer.createTransport({ host: '127.0.0.1', port: mailbox.port, secure: false, auth })
    expect(await failureOf(emailChannel({ transport: locked, from }).send(noticeWith()))).to.equal('try_later')
    await mailbox.close()
    expect(await failureOf(emailChannel({ transport, from }).send(noticeWith()))).to.equal('try_later')
    expect(await failureOf(emailChannel({ transport, from }).verify?.())).to.include('ECONNREFUSED')
    mailbox = await startMailbox()
  })

  it('verifies the connection', async () => {
    await emailChannel({ transport, from }).verify?.()
  })
})
