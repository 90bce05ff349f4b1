import { expect } from 'chai'
import {
  type Channel,
  ChannelError,
  type ChannelFailure,
  type ClientMetadata,
  linkChannel,
  type Notice,
  smsChannel,
} from 'express-ciba'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, type HostOptions, startHost, users } from '../helpers/host.ts'
import { authToken, startTwilio } from '../helpers/twilioServer.ts'
import { until } from '../helpers/until.ts'

/** A channel that fails as often as told, and keeps what it delivered. */
function flaky(name: string, ...failures: (ChannelFailure | 'throws')[]) {
  const notices: Notice[] = []
  const channel: Channel = {
    name,
    address: (user) => (name === 'email' ? user.email : user.phone_number),
    send: (notice) => {
      const failure = failures.shift()
      if (failure === 'throws') throw new TypeError('a mistake')
      if (failure !== undefined) throw new ChannelError(failure, 'no')
      notices.push(notice)
      return { messageId: `${name}-${notices.length}` }
    },
  }
  return { channel, notices }
}

describe('notices', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  const start = async (options: HostOptions) => {
    host = await startHost({ polling: { intervalSeconds: 1 }, ...options })
    client = clientOf(host)
  }
  afterEach(() => host.close())

  const noticesIn = () =>
    host.events.flatMap((event) =>
      event.type === 'notice.sent'
        ? [`${event.channel} sent`]
        : event.type === 'notice.failed'
          ? [`${event.channel} ${event.failure}${event.final ? ', the end' : ''}`]
          : [],
    )
  const context = (channel: string) => JSON.stringify({ channel, login_hint_type: 'email' })
  const request = (channel?: string) => ({
    scope: 'openid',
    login_hint: 'alice@example.com',
    ...(channel === undefined ? {} : { request_context: context(channel) }),
  })
  const outcome = async (authReqId: string) => (await client.poll(authReqId)).body.error
  const failed = () => host.events.some(({ type }) => type === 'request.failed')

  it('go to the next channel when one fails', async () => {
    const sms = flaky('sms', 'undeliverable')
    const email = flaky('email')
    await start({ channels: [sms.channel, email.channel] })
    await client.start(request())
    await until(() => email.notices.length === 1)
    expect(email.notices[0]?.to).to.equal('alice@example.com')
    expect(noticesIn()).to.deep.equal(['sms undeliverable', 'email sent'])
  })

  it('stay with the channel that the client names', async () => {
    const email = flaky('email')
    await start({ channels: [flaky('sms', 'blocked').channel, email.channel] })
    const { body } = await client.start(request('sms'))
    await until(failed)
    expect(noticesIn()).to.deep.equal(['sms blocked, the end'])
    expect(await outcome(body.auth_req_id)).to.equal('expired_token')
  })

  it('are tried again when a channel failed for now, and end the request when all failed for good', async () => {
    const sms = flaky('sms', 'try_later', 'throws', 'undeliverable')
    await start({ channels: [sms.channel], notices: { retrySeconds: [0.01, 0.01, 0.01] } })
    await client.start(request())
    await until(failed)
    expect(noticesIn()).to.deep.equal(['sms try_later', 'sms try_later', 'sms undeliverable, the end'])
  })

  it('arrive late rather than never', async () => {
    const sms = flaky('sms', 'try_later')
    await start({ channels: [sms.channel], notices: { retrySeconds: [0.01] } })
    await client.start(request())
    await until(() => sms.notices.length === 1)
    expect(noticesIn()).to.deep.equal(['sms try_later', 'sms sent'])
  })

  it('are not tried again for a request that is over', async () => {
    const sms = flaky('sms', 'try_later')
    await start({ channels: [sms.channel], notices: { retrySeconds: [0.05] } })
    const { body } = await client.start(request())
    await host.router.backchannel.cancel(body.auth_req_id)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(sms.notices).to.have.length(0)
  })

  it('do not hold up the end of the server', async () => {
    await start({ channels: [flaky('sms', 'try_later').channel], notices: { retrySeconds: [3600] } })
    await client.start(request())
    await until(() => noticesIn().length === 1)
    await host.router.backchannel.close()
    expect(failed()).to.equal(false)
  })

  it('threat 59: tell a channel what it needs to know, and nothing else', async () => {
    const { channel, notices } = flaky('sms')
    await start({ channels: [channel] })
    const request_context = JSON.stringify({ login_hint_type: 'email', ticket: 7, custom_message: 'Hi:' })
    const { body } = await client.start({ ...request(), request_context, binding_message: 'W4SCT' })
    await until(() => notices.length === 1)
    const { link, reference, ...notice } = notices[0] as Notice
    expect(notice).to.deep.equal({
      to: '+15550100',
      message: 'Hi:',
      clientName: 'Corner Bank till',
      bindingMessage: 'W4SCT',
      locale: 'en',
      expiresInSeconds: 600,
      domain: new URL(host.origin).host,
      context: { ticket: 7 },
    })
    expect(reference).to.match(/^[\w-]{16}$/)
    expect(JSON.stringify(notices)).not.to.include(body.auth_req_id).and.not.to.include('till-secret')
    expect(link).not.to.include(body.auth_req_id.slice(16))
  })

  it('keep the binding message to themselves where the user has to pick it', async () => {
    const { channel, notices } = flaky('sms')
    await start({ channels: [channel], approval: { choices: true } })
    await client.start({ ...request(), binding_message: 'W4SCT' })
    await until(() => notices.length === 1)
    expect(JSON.stringify(notices)).not.to.include('W4SCT')
  })

  it('speak the language of the user, and so does the page where the browser asks for none', async () => {
    const { channel, notices } = flaky('sms')
    await start({ channels: [channel], users: { find: () => ({ ...users[0], sub: 'alice', locale: 'de' }) } })
    await client.start(request())
    await until(() => notices.length === 1)
    expect(notices[0]).to.include({ locale: 'de' })
    expect((await deviceOf('alice').open(notices[0]?.link ?? '')).html).to.include('<html lang="de"')
  })

  it('have the words of the host', async () => {
    const { channel, notices } = flaky('sms')
    await start({ channels: [channel], notices: { texts: { en: { message: 'Is it you?' } } } })
    await client.start(request())
    await until(() => notices.length === 1)
    expect(notices[0]?.message).to.equal('Is it you?')
  })

  it('may be sent again: the same link, after a pause, by any channel of the client', async () => {
    const sms = flaky('sms')
    const email = flaky('email', 'try_later')
    await start({ channels: [sms.channel, email.channel], notices: { resendSeconds: 5 } })
    const { body } = await client.start(request())
    await until(() => sms.notices.length === 1)
    const { resend } = host.router.backchannel
    const again = await resend(body.auth_req_id)
    expect(again).to.deep.equal({ channel: 'sms', messageId: 'sms-2' })
    expect(sms.notices[1]?.link).to.equal(sms.notices[0]?.link)
    expect(await resend(body.auth_req_id).catch((error) => error.status)).to.equal(429)
    host.pass(5)
    expect(await resend(body.auth_req_id, { channel: 'email' }).catch((error) => error.message)).to.include('try_later')
    host.pass(5)
    expect(await resend(sms.notices[0]?.reference ?? '', { channel: 'email' })).to.include({ channel: 'email' })
    const page = await deviceOf('alice').open(email.notices[0]?.link ?? '')
    expect(page.response.status).to.equal(200)
  })

  it('are sent again as the client asked for them, or as a link that the caller hands over', async () => {
    await start({ channels: [flaky('email').channel, { ...flaky('sms').channel, send() {} }, linkChannel()] })
    const { body } = await client.start(request('sms'))
    await until(() => noticesIn().length === 1)
    const { resend } = host.router.backchannel
    expect(await resend(body.auth_req_id)).to.deep.equal({ channel: 'sms' })
    const { channel, link } = await resend(body.auth_req_id, { channel: 'link' })
    expect(channel).to.equal('link')
    expect((await deviceOf('alice').open(link ?? '')).response.status).to.equal(200)
  })

  it('are not sent again to nobody, for nobody, or by no channel', async () => {
    let known: readonly ClientMetadata[] = clients
    let accounts = users
    let names: readonly string[] = ['sms']
    await start({
      channels: [flaky('sms').channel],
      clients: { find: ({ clientId: id }) => known.find(({ client_id }) => client_id === id) },
      users: { find: ({ hint: { value } }) => accounts.find(({ sub, email }) => [sub, email].includes(value)) },
      notices: { channelsFor: () => names },
    })
    const { body } = await client.start(request())
    const error = () => host.router.backchannel.resend(body.auth_req_id).catch(({ code, message }) => [code, message])
    names = []
    expect(await error()).to.deep.equal(['temporarily_unavailable', 'No channel reaches the user'])
    accounts = []
    const gone = ['temporarily_unavailable', 'The client or the user is not there any more']
    expect(await error()).to.deep.equal(gone)
    accounts = users
    known = []
    expect(await error()).to.deep.equal(gone)
  })

  it('are not sent again for a request that is over or unknown', async () => {
    await start({ channels: [flaky('sms').channel] })
    const { resend } = host.router.backchannel
    const status = (request: string) => resend(request).catch((error) => error.status)
    expect(await status('nothing')).to.equal(404)
    expect(await status('A'.repeat(16))).to.equal(404)
    const { body } = await client.start(request())
    await client.complete({ auth_req_id: body.auth_req_id, approved: true })
    expect(await status(body.auth_req_id)).to.equal(409)
    const late = await client.start(request())
    host.pass(600)
    expect(await status(late.body.auth_req_id)).to.equal(410)
  })

  it('lead to a page that says so, once the request is cancelled', async () => {
    const { channel, notices } = flaky('sms')
    await start({ channels: [channel] })
    const { body } = await client.start(request())
    await until(() => notices.length === 1)
    await host.router.backchannel.cancel(notices[0]?.reference ?? '')
    const page = await deviceOf('alice').open(notices[0]?.link ?? '')
    expect(page.html).to.include('Nothing left to answer')
    expect(await outcome(body.auth_req_id)).to.equal('expired_token')
    expect(await host.router.backchannel.cancel('nothing').catch((error) => error.status)).to.equal(404)
  })
})

describe("a carrier's report", () => {
  let host: Host
  let api: Awaited<ReturnType<typeof startTwilio>>
  let client: ReturnType<typeof clientOf>
  beforeEach(async () => {
    api = await startTwilio()
  })
  afterEach(async () => {
    await host.close()
    await api.close()
  })

  const email = flaky('email')
  async function bounce(options: HostOptions = {}) {
    const sms = smsChannel({ client: api.client, from: '+15550000', authToken })
    host = await startHost({ channels: [sms], polling: { intervalSeconds: 1 }, ...options })
    client = clientOf(host)
    const { body } = await client.start()
    await until(() => api.messages.length === 1)
    return { authReqId: body.auth_req_id as string, url: api.messages[0]?.get('StatusCallback') ?? '' }
  }
  const outcome = async (authReqId: string) => (await client.poll(authReqId)).body.error

  it('ends the request when the message bounced, once', async () => {
    const { authReqId, url } = await bounce()
    expect(url).to.match(new RegExp(`^${host.origin}/auth/backchannel/notices/sms/[\\w-]{16}$`))
    expect((await api.report(url, 'sent')).status).to.equal(204)
    expect(await outcome(authReqId)).to.equal('authorization_pending')
    expect((await api.report(url, 'undelivered', 30005)).status).to.equal(204)
    expect((await api.report(url, 'undelivered', 30005)).status).to.equal(204)
    expect(await outcome(authReqId)).to.equal('expired_token')
    expect(host.events.filter(({ type }) => type === 'notice.failed' || type === 'request.failed')).to.have.length(2)
  })

  it('lets the next channel take over', async () => {
    const sms = smsChannel({ client: api.client, from: '+15550000', authToken })
    const { authReqId, url } = await bounce({ channels: [sms, email.channel] })
    await api.report(url, 'failed', 30007)
    await until(() => email.notices.length === 1)
    expect(await outcome(authReqId)).to.equal('authorization_pending')
  })

  it('ends a request for which there is no other channel, no client or no user any more', async () => {
    let known: readonly ClientMetadata[] = clients
    let accounts = users
    let names: readonly string[] = ['sms']
    const changes: readonly (() => void)[] = [
      () => {
        names = []
      },
      () => {
        accounts = users.map(({ phone_number: _, ...user }) => user)
      },
      () => {
        accounts = []
      },
      () => {
        known = []
      },
    ]
    for (const change of changes) {
      names = ['sms']
      accounts = users
      known = clients
      const { url } = await bounce({
        clients: { find: ({ clientId: id }) => known.find(({ client_id }) => client_id === id) },
        users: { find: ({ hint: { value } }) => accounts.find(({ sub, email }) => [sub, email].includes(value)) },
        notices: { channelsFor: () => names },
      })
      change()
      expect((await api.report(url, 'failed', 30005)).status, String(change)).to.equal(204)
      expect(host.events.map(({ type }) => type)).to.include.members(['notice.failed', 'request.failed'])
      await host.close()
      api.messages.length = 0
    }
  })

  it('is taken when it comes again after an outage', async () => {
    let isDown = false
    const { authReqId, url } = await bounce({
      users: {
        find: ({ hint: { value } }) => {
          if (isDown) throw new Error('down')
          return users.find(({ sub, email }) => [sub, email].includes(value))
        },
      },
    })
    isDown = true
    expect((await api.report(url, 'failed', 30005)).status).to.equal(503)
    isDown = false
    expect((await api.report(url, 'failed', 30005)).status).to.equal(204)
    expect(await outcome(authReqId)).to.equal('expired_token')
  })

  it('is not believed without the signature of the account', async () => {
    const { authReqId, url } = await bounce()
    const statuses = await Promise.all([
      api.report(url, 'failed', 30005, { token: 'another' }),
      api.report(url, 'failed', 30005, { signedUrl: `${url}x` }),
      fetch(url, { method: 'POST', body: new URLSearchParams({ MessageStatus: 'failed' }) }),
      api.report(url.replace('/sms/', '/email/'), 'failed', 30005),
    ])
    expect(statuses.map(({ status }) => status)).to.deep.equal([403, 403, 403, 403])
    expect(await outcome(authReqId)).to.equal('authorization_pending')
  })

  it('changes nothing once the user has answered', async () => {
    const { authReqId, url } = await bounce()
    await client.complete({ auth_req_id: authReqId, approved: true })
    expect((await api.report(url, 'failed', 30005)).status).to.equal(204)
    expect((await client.poll(authReqId)).status).to.equal(200)
  })

  it('has no route where no channel reads reports', async () => {
    await bounce({ channels: [smsChannel({ client: api.client, from: '+15550000' })] })
    expect(api.messages[0]?.has('StatusCallback')).to.equal(false)
    expect(
      (await api.report(`${host.origin}/auth/backchannel/notices/sms/${'A'.repeat(16)}`, 'failed')).status,
    ).to.equal(404)
  })
})
