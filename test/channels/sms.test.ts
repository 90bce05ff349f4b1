import { expect } from 'chai'
import { ChannelError, smsChannel } from 'express-ciba'
import twilio from 'twilio'
import { plainSigns } from '../../lib/adapters/channels/gsm7.ts'
import { readTwilioStatus } from '../../lib/adapters/channels/twilio.ts'
import { noticeStrings } from '../../lib/core/noticeTexts.ts'
import { failureOf, noticeWith } from '../helpers/notice.ts'
import { segmentsOf } from '../helpers/segments.ts'
import { authToken, startTwilio } from '../helpers/twilioServer.ts'

const to = '+15550100'

describe('the SMS channel', () => {
  let api: Awaited<ReturnType<typeof startTwilio>>
  beforeEach(async () => {
    api = await startTwilio()
  })
  afterEach(() => api.close())

  it('sends the message and the link through the twilio client, and returns the SID', async () => {
    const sent = await smsChannel({ client: api.client, from: '+15550000' }).send(noticeWith({ to }))
    expect(sent).to.deep.equal({ messageId: 'SM00000000000000000000000000000001' })
    expect(Object.fromEntries(api.messages[0] ?? [])).to.deep.equal({
      To: to,
      From: '+15550000',
      Body: `To verify it's you, click this link: ${noticeWith().link}`,
    })
  })

  it('sends by a messaging service, and asks for reports where they can be checked', async () => {
    const statusUrl = 'https://login.example.com/auth/backchannel/notices/sms/abc'
    const messagingServiceSid = `MG${'0'.repeat(32)}`
    await smsChannel({ client: api.client, messagingServiceSid, authToken }).send(noticeWith({ to, statusUrl }))
    await smsChannel({ client: api.client, messagingServiceSid }).send(noticeWith({ to, statusUrl }))
    expect(api.messages.map((each) => each.get('MessagingServiceSid'))).to.deep.equal(
      Array(2).fill(messagingServiceSid),
    )
    expect(api.messages.map((each) => each.get('StatusCallback'))).to.deep.equal([statusUrl, null])
    expect(api.messages.some((each) => each.has('From'))).to.equal(false)
  })

  for (const [code, status, failure] of [
    [21211, 400, 'undeliverable'],
    [21614, 400, 'undeliverable'],
    [21635, 400, 'undeliverable'],
    [21408, 403, 'blocked'],
    [21610, 400, 'blocked'],
    [20003, 401, 'try_later'],
    [20429, 429, 'try_later'],
    [20500, 500, 'try_later'],
  ] as const) {
    it(`says ${failure} after error ${code}`, async () => {
      api.failWith({ code, status })
      const channel = smsChannel({ client: api.client, from: '+15550000' })
      expect(await failureOf(channel.send(noticeWith({ to })))).to.equal(failure)
      expect(api.messages).to.have.length(0)
    })
  }

  it('says try_later when the API cannot be reached', async () => {
    api.failWith('hang up')
    expect(await failureOf(smsChannel({ client: api.client, from: '+15550000' }).send(noticeWith({ to })))).to.equal(
      'try_later',
    )
  })

  it('verifies the account', async () => {
    await smsChannel({ client: api.client, from: '+15550000' }).verify?.()
    const stranger = smsChannel({ client: api.strangersClient, from: '+15550000' })
    expect(await failureOf(stranger.verify?.())).to.include('20003')
  })

  it('sends through anything that sends', async () => {
    const texts: unknown[] = []
    const channel = smsChannel({
      send: async (text) => {
        texts.push(text)
        if (texts.length > 1) throw new ChannelError('blocked', 'no')
        return { messageId: 'own-1' }
      },
    })
    expect(await channel.send(noticeWith({ to }))).to.deep.equal({ messageId: 'own-1' })
    expect(texts[0]).to.have.all.keys('to', 'body', 'reference')
    expect(await failureOf(channel.send(noticeWith({ to })))).to.equal('blocked')
    expect(await channel.verify?.()).to.equal(undefined)
  })

  it('threat 6: goes to numbers with the prefixes of the host alone, where it names any', async () => {
    const channel = smsChannel({ client: api.client, from: '+15550000', prefixes: ['+1555', '+49'] })
    expect(channel.address({ sub: 'a', phone_number: to })).to.equal(to)
    expect(channel.address({ sub: 'a', phone_number: '+49891234567' })).to.equal('+49891234567')
    for (const phone_number of ['+8821234567', '+4112345678', '+15650100']) {
      expect(channel.address({ sub: 'a', phone_number }), phone_number).to.equal(undefined)
    }
    await channel.send(noticeWith({ to }))
    expect([...(api.messages[0]?.keys() ?? [])]).to.deep.equal(['To', 'From', 'Body'])
    for (const prefixes of [['49'], ['+'], ['']]) {
      expect(() => smsChannel({ send: async () => undefined, prefixes })).to.throw(TypeError, /prefixes/)
    }
  })

  it('goes to the number on file only, when it is one and not known to be unverified', () => {
    const { address } = smsChannel({ send: async () => undefined })
    expect(address({ sub: 'a', phone_number: to })).to.equal(to)
    expect(address({ sub: 'a', phone_number: to, phone_number_verified: false })).to.equal(undefined)
    for (const phone_number of ['', '15550100', '+1555 0100', '+0155501', '+1;drop', 'whatsapp:+15550100']) {
      expect(address({ sub: 'a', phone_number }), phone_number).to.equal(undefined)
    }
    expect(address({ sub: 'a' })).to.equal(undefined)
  })
})

describe('one SMS', () => {
  it('is enough for the default message and a link, in every language of the alphabet', () => {
    const { link } = noticeWith()
    for (const locale of ['en', 'fr', 'de', 'es', 'pt']) {
      expect(segmentsOf(`${noticeStrings(locale).message} ${link}`), locale).to.equal(1)
    }
  })

  for (const [text, segments] of [
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['€'.repeat(80), 1],
    ['€'.repeat(81), 2],
    ['a'.repeat(307), 3],
    ['あ'.repeat(70), 1],
    ['あ'.repeat(71), 2],
    ['ê'.repeat(71), 2],
  ] as const) {
    it(`counts ${text.length} × ${text[0]} as ${segments}`, () => {
      expect(segmentsOf(text)).to.equal(segments)
    })
  }

  it('has plain signs where that is all it takes, and is untouched elsewhere', () => {
    expect(plainSigns('It’s “you” – now…')).to.equal('It\'s "you" - now...')
    expect(plainSigns('L’hôtel ê')).to.equal('L’hôtel ê')
    expect(plainSigns('ご本人\u202F…')).to.equal('ご本人\u202F…')
  })
})

describe("Twilio's reports", () => {
  const url = 'https://login.example.com/auth/backchannel/notices/sms/abc'
  const form = { MessageSid: 'SM1', MessageStatus: 'undelivered', ErrorCode: '30007', To: to }
  const read = (parameters: Record<string, string>, signed = parameters, at = url, token = authToken) =>
    readTwilioStatus({
      authToken,
      url,
      signature: twilio.getExpectedTwilioSignature(token, at, signed),
      parameters: Object.entries(parameters),
    })

  it('are believed when they are signed, with or without the port', () => {
    expect(read(form)).to.deep.equal({ messageId: 'SM1', failure: 'blocked' })
    expect(read(form, form, url.replace('.com/', '.com:443/'))).to.deep.equal({ messageId: 'SM1', failure: 'blocked' })
  })

  it('are not believed otherwise', () => {
    expect(read(form, { ...form, ErrorCode: '30003' })).to.equal(undefined)
    expect(read(form, form, `${url}d`)).to.equal(undefined)
    expect(read(form, form, url, 'another token')).to.equal(undefined)
    for (const signature of [undefined, '', 'x', '\u0000']) {
      expect(readTwilioStatus({ authToken, url, signature, parameters: [] })).to.equal(undefined)
    }
  })

  it('say what became of a message', () => {
    const status = (MessageStatus: string, ErrorCode = '') => read({ MessageSid: 'SM1', MessageStatus, ErrorCode })
    for (const fine of ['accepted', 'queued', 'sending', 'sent', 'delivered', 'read']) {
      expect(status(fine)).to.deep.equal({ messageId: 'SM1' })
    }
    expect(status('failed', '21610')?.failure).to.equal('blocked')
    expect(status('undelivered', '30003')?.failure).to.equal('undeliverable')
    expect(status('undelivered')?.failure).to.equal('undeliverable')
  })
})
