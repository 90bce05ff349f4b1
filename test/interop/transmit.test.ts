import { expect } from 'chai'
import { emailChannel, linkChannel, smsChannel } from 'express-ciba'
import { decodeJwt } from 'jose'
import nodemailer from 'nodemailer'
import { clientOf } from '../helpers/client.ts'
import { clients, type Host, type HostOptions, startHost, users, withGroups } from '../helpers/host.ts'
import { startMailbox } from '../helpers/mailbox.ts'
import { startTwilio } from '../helpers/twilioServer.ts'
import { until } from '../helpers/until.ts'

const credentials = { client_id: 'agent', client_secret: 'agent-secret-0123456789-0123456789' }
const agent = { ...clients[1], client_id: 'agent', login_uri: 'https://app.example.com/ciba?tenant=7' }
const alice = { ...users[0], sub: 'alice', phone_number: '+15550100' }

// The vendor's guide "Authenticate for customer service", step by step, with a client that was written for it.
describe("Transmit's guide", () => {
  let host: Host
  let api: Awaited<ReturnType<typeof startTwilio>>
  let mailbox: Awaited<ReturnType<typeof startMailbox>>
  beforeEach(async () => {
    api = await startTwilio()
    mailbox = await startMailbox()
  })
  afterEach(async () => {
    await host.close()
    await mailbox.close()
    await api.close()
  })

  async function start(options: HostOptions = {}) {
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: mailbox.port, secure: false })
    const transmit: HostOptions = {
      clients: { find: () => agent },
      channels: [
        smsChannel({ client: api.client, from: '+15550000' }),
        emailChannel({ transport, from: 'login@example.com' }),
        linkChannel(),
      ],
      requests: { bindingMessage: 'transmit' },
      interop: { errorFormat: 'transmit' },
    }
    host = await startHost(withGroups(transmit, options))
    const client = clientOf(host)
    return {
      ask: (form: Record<string, string>) =>
        client.post('/oidc/backchannel', { ...credentials, scope: 'openid', ...form }, {}),
      poll: (authReqId: string) =>
        client.post(
          '/oidc/token',
          { ...credentials, auth_req_id: authReqId, grant_type: 'urn:openid:params:grant-type:ciba' },
          {},
        ),
      complete: client.complete,
    }
  }
  const context = (value: object) => ({ request_context: JSON.stringify(value) })
  const textMessage = async () => {
    await until(() => api.messages.length > 0)
    return api.messages.shift()?.get('Body') ?? ''
  }
  const linkIn = (text: string) => new URL(/https:\S+/.exec(text)?.[0] ?? 'about:blank')

  it('goes from the request to the tokens by SMS, the default channel, to a phone number, the default hint', async () => {
    const { ask, poll, complete } = await start()
    const started = await ask({ login_hint: '+15550100', binding_message: 'K7Q/2M+4', ...context({}) })
    expect(started.status).to.equal(200)
    expect(started.body).to.include({ expires_in: 600 }).and.to.have.property('auth_req_id').that.is.a('string')

    const pending = await poll(started.body.auth_req_id)
    expect([pending.status, pending.body.error]).to.deep.equal([400, 'authorization_pending'])

    const message = await textMessage()
    expect(message).to.match(/^To verify it's you, click this link: https:/)
    const link = linkIn(message)
    expect(link.origin + link.pathname).to.equal('https://app.example.com/ciba')
    expect([...link.searchParams.keys()]).to.deep.equal(['tenant', 'auth_req_id', 'binding_message'])
    expect(link.searchParams.get('binding_message')).to.equal('K7Q/2M+4')

    const completed = await complete({ auth_req_id: link.searchParams.get('auth_req_id'), approved: true })
    expect([completed.status, completed.body]).to.deep.equal([200, { result: 'approved' }])

    host.pass(5)
    const tokens = await poll(started.body.auth_req_id)
    expect(tokens.status).to.equal(200)
    expect(tokens.body).to.include({ token_type: 'Bearer', expires_in: 3600, scope: 'openid' })
    expect(decodeJwt(tokens.body.id_token)).to.include({ sub: 'alice', aud: 'agent', iss: host.origin })
  })

  it('ends in access_denied when the user declines', async () => {
    const { ask, poll, complete } = await start()
    const started = await ask({ login_hint: '+15550100' })
    const link = linkIn(await textMessage())
    expect(link.searchParams.has('binding_message')).to.equal(false)
    const completed = await complete({ auth_req_id: link.searchParams.get('auth_req_id'), approved: false })
    expect(completed.body).to.deep.equal({ result: 'denied' })
    const answer = await poll(started.body.auth_req_id)
    expect([answer.status, answer.body.error]).to.deep.equal([400, 'access_denied'])
  })

  it('sends the link by e-mail, with a message of the client', async () => {
    const { ask } = await start()
    const custom_message = 'Your agent Kim <kim@bank> asks:\n'
    const form = context({ channel: 'email', login_hint_type: 'email', custom_message })
    expect((await ask({ login_hint: 'alice@example.com', ...form })).status).to.equal(200)
    const { to, text, html } = await mailbox.next()
    expect(to).to.deep.equal(['alice@example.com'])
    expect(text).to.include('Your agent Kim <kim@bank> asks:\r\nhttps://app.example.com/ciba?tenant=7&auth_req_id=')
    expect(html).to.include('Kim &lt;kim@bank&gt; asks:')
  })

  it('sends to the contact on file, whatever names the user', async () => {
    const { ask } = await start()
    await ask({ login_hint: 'alice@example.com', ...context({ login_hint_type: 'email' }) })
    await until(() => api.messages.length === 1)
    expect(api.messages[0]?.get('To')).to.equal('+15550100')
    await ask({ login_hint: 'alice', ...context({ channel: 'email', login_hint_type: 'user_id' }) })
    expect((await mailbox.next()).to).to.deep.equal(['alice@example.com'])
  })

  it('returns the link for the channel link, and sends nothing', async () => {
    const { ask, poll, complete } = await start()
    const { body } = await ask({ login_hint: '+15550100', ...context({ channel: 'link' }) })
    await complete({ auth_req_id: linkIn(body.link).searchParams.get('auth_req_id'), approved: true })
    expect((await poll(body.auth_req_id)).status).to.equal(200)
    expect(api.messages.length + mailbox.messages.length).to.equal(0)
  })

  it('keeps the polling handle out of the link, unless the host asks for it', async () => {
    const channelLink = { login_hint: '+15550100', ...context({ channel: 'link' }) }
    const idIn = (body: { link: string }) => linkIn(body.link).searchParams.get('auth_req_id')
    const guarded = await start()
    const first = (await guarded.ask(channelLink)).body
    expect((await guarded.poll(idIn(first) ?? '')).body.error_code).to.equal(400)
    expect((await guarded.poll(first.auth_req_id)).body.error).to.equal('authorization_pending')
    await host.close()
    const { ask, complete } = await start({ approval: { landingHandle: 'auth_req_id' } })
    const second = (await ask(channelLink)).body
    expect(idIn(second)).to.equal(second.auth_req_id)
    expect((await complete({ auth_req_id: idIn(second), approved: true })).status).to.equal(200)
  })

  it('offers the landing page a look at the request that changes nothing', async () => {
    const { ask } = await start()
    const { body } = await ask({ login_hint: '+15550100', binding_message: 'K7Q', ...context({ channel: 'link' }) })
    const handle = linkIn(body.link).searchParams.get('auth_req_id') ?? ''
    expect(await host.router.backchannel.find(handle)).to.include({ status: 'pending', bindingMessage: 'K7Q' })
    host.pass(600)
    expect(await host.router.backchannel.find(handle)).to.include({ status: 'expired' })
    expect(await host.router.backchannel.find('x')).to.equal(undefined)
  })

  it('guards the completion', async () => {
    const { ask, complete } = await start()
    const { body } = await ask({ login_hint: '+15550100' })
    const status = async (...args: Parameters<typeof complete>) => (await complete(...args)).status
    const id = { auth_req_id: body.auth_req_id }
    expect(await status({ ...id, approved: true }, '')).to.equal(401)
    expect(await status({ ...id, approved: true }, 'rubbish')).to.equal(401)
    expect(await status({ ...id, approved: true }, 'token-of-bob')).to.equal(403)
    expect(await status(id)).to.equal(400)
    expect(await status({ ...id, approved: 'true' })).to.equal(400)
    expect(await status({ auth_req_id: 'x', approved: true })).to.equal(404)
    expect(await status({ ...id, approved: true })).to.equal(200)
    expect(await status({ ...id, approved: true })).to.equal(200)
    expect(await status({ ...id, approved: false })).to.equal(409)
  })

  describe('errors, in its shape', () => {
    for (const [what, form, status] of [
      ['a user who does not exist', { login_hint: '+15550199' }, 400],
      ['an unknown channel', { login_hint: '+15550100', ...context({ channel: 'fax' }) }, 400],
      ['an unknown hint type', { login_hint: '+15550100', ...context({ login_hint_type: 'fax' }) }, 400],
      ['a context that is no JSON', { login_hint: '+15550100', request_context: '{' }, 400],
      ['a context that is a list', { login_hint: '+15550100', request_context: '[]' }, 400],
      ['a message too long', { login_hint: '+15550100', ...context({ custom_message: 'x'.repeat(501) }) }, 400],
      [
        'control characters in the message',
        { login_hint: '+15550100', ...context({ custom_message: 'a\u0000' }) },
        400,
      ],
      ['an empty binding message', { login_hint: '+15550100', binding_message: '' }, 400],
      ['a binding message with a space', { login_hint: '+15550100', binding_message: 'a b' }, 400],
      ['a binding message of 21 characters', { login_hint: '+15550100', binding_message: 'x'.repeat(21) }, 400],
      ['a fraction of a second', { login_hint: '+15550100', requested_expiry: '1.5' }, 400],
      ['no openid in the scope', { login_hint: '+15550100', scope: 'email' }, 400],
      ['no hint', {}, 400],
      ['a wrong secret', { login_hint: '+15550100', client_secret: 'wrong' }, 401],
    ] satisfies [string, Record<string, string>, number][]) {
      it(`tell of ${what}`, async () => {
        const { ask } = await start()
        const { body, status: got } = await ask(form)
        expect(got).to.equal(status)
        expect(body).to.have.all.keys('message', 'error_code')
        expect(body.error_code).to.equal(status)
        if (status === 400) expect(body.message).to.be.an('array').with.length(1)
        else expect(body.message).to.be.a('string')
      })
    }

    it('are kept for malformed token requests, and not for answers to polls', async () => {
      const { ask, poll } = await start()
      expect((await poll('nothing')).body).to.have.all.keys('message', 'error_code')
      const { body } = await ask({ login_hint: '+15550100' })
      await poll(body.auth_req_id)
      expect((await poll(body.auth_req_id)).body.error).to.equal('slow_down')
      host.pass(601)
      expect((await poll(body.auth_req_id)).body.error).to.equal('expired_token')
    })

    it('say nothing about mistakes of ours', async () => {
      const { ask } = await start({
        users: {
          find: () => {
            throw new Error('SELECT failed')
          },
        },
      })
      const { status, body } = await ask({ login_hint: '+15550100' })
      expect(status).to.equal(503)
      expect(body).to.have.all.keys('message', 'error_code')
      expect(JSON.stringify(body)).not.to.include('SELECT')
    })
  })

  it('refuses to send to a contact that is not verified, or not there', async () => {
    for (const user of [{ ...alice, phone_number_verified: false }, { sub: 'alice' }]) {
      const { ask } = await start({ users: { find: () => user } })
      const { status, body } = await ask({ login_hint: '+15550100', ...context({ channel: 'sms' }) })
      expect([status, body.error_code]).to.deep.equal([400, 400])
      await host.close()
    }
    const { ask } = await start({ users: { find: () => ({ sub: 'alice' }) }, requests: { hideUnknownUsers: true } })
    expect((await ask({ login_hint: '+15550100', ...context({ channel: 'sms' }) })).status).to.equal(200)
  })

  it('refuses a client whose landing page is no page', async () => {
    const { ask } = await start({ clients: { find: () => ({ ...agent, login_uri: 'javascript:alert(1)' }) } })
    expect((await ask({ login_hint: '+15550100' })).status).to.equal(401)
  })
})
