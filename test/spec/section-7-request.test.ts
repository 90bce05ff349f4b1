import { expect } from 'chai'
import type { Users } from 'express-ciba'
import { type Answer, clientOf, type Form } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const good = { scope: 'openid', login_hint: 'alice@example.com' }
const link = { request_context: JSON.stringify({ channel: 'link', login_hint_type: 'user_id' }) }

describe('CIBA Core 7: the authentication request', () => {
  let host: Host
  let client: ReturnType<typeof clientOf>
  before(async () => {
    host = await startHost({
      requests: { acrValues: ['urn:test:mfa', 'urn:test:pwd'] },
    })
    client = clientOf(host)
  })
  after(() => host.close())

  const accepted = (answer: Answer) => expect([answer.status, answer.body.error]).to.deep.equal([200, undefined])
  const refused = (answer: Answer, status: number, error: string) => {
    expect([answer.status, answer.body.error]).to.deep.equal([status, error])
    expect(Object.keys(answer.body)).to.have.members(['error', 'error_description'])
    expect(answer.body.error_description).to.match(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
    expect(answer.headers.get('cache-control')).to.equal('no-store')
    expect(answer.headers.get('content-type')).to.equal('application/json')
  }

  it('CIBA-3-01, CIBA-7-01 is a POST; other methods get 405 with Allow', async () => {
    const { status, headers } = await fetch(`${host.origin}/oidc/backchannel`)
    expect([status, headers.get('allow')]).to.deep.equal([405, 'POST'])
  })

  it('CIBA-3-02 is answered at once, whatever the channel takes', async () => {
    const slow = await startHost({
      channels: [
        { name: 'sms', address: () => '+15550100', send: () => new Promise((resolve) => setTimeout(resolve, 2_000)) },
      ],
    })
    const began = Date.now()
    accepted(await clientOf(slow).start())
    expect(Date.now() - began).to.be.lessThan(1_000)
    void slow.close()
  })

  it('CIBA-4-08, CIBA-13-05 needs a client with a delivery mode', async () => {
    const basic = `Basic ${Buffer.from('web:web-secret-0123456789-0123456789').toString('base64')}`
    refused(await client.start(good, { authorization: basic }), 400, 'unauthorized_client')
  })

  it('CIBA-4-16, CIBA-7.1-01, CIBA-7.2-01 authenticates the client before anything else', async () => {
    refused(
      await client.start({ nonsense: '1' }, { authorization: `Basic ${Buffer.from('till:wrong').toString('base64')}` }),
      401,
      'invalid_client',
    )
  })

  const table: [rule: string, what: string, form: Form, status: number, error: string][] = [
    ['CIBA-7.1-05', 'scope is missing', { login_hint: 'alice' }, 400, 'invalid_request'],
    ['CIBA-7.1-05', 'scope is malformed', { ...good, scope: 'openid  email' }, 400, 'invalid_scope'],
    ['CIBA-7.1-05', 'scope has a quotation mark', { ...good, scope: 'openid "x"' }, 400, 'invalid_scope'],
    ['CIBA-7.1-06', 'scope lacks openid', { ...good, scope: 'email' }, 400, 'invalid_scope'],
    ['CIBA-7.1-07', 'a scope value is unknown', { ...good, scope: 'openid payments' }, 400, 'invalid_scope'],
    ['CIBA-7.1-17', 'id_token_hint is no JWT', { scope: 'openid', id_token_hint: 'abc' }, 400, 'invalid_request'],
    [
      'CIBA-7.1-18',
      'id_token_hint is encrypted',
      { scope: 'openid', id_token_hint: 'a.b.c.d.e' },
      400,
      'invalid_request',
    ],
    ['CIBA-7.1-19', 'login_hint names nobody', { ...good, login_hint: 'nobody' }, 400, 'unknown_user_id'],
    [
      'CIBA-7.1-22',
      'binding_message has a line break',
      { ...good, binding_message: 'a\r\nBcc: b' },
      400,
      'invalid_binding_message',
    ],
    [
      'CIBA-7.1-22',
      'binding_message turns the text around',
      { ...good, binding_message: 'a\u202Eb' },
      400,
      'invalid_binding_message',
    ],
    [
      'CIBA-7.1-22',
      'binding_message hides characters',
      { ...good, binding_message: 'a\u200Bb' },
      400,
      'invalid_binding_message',
    ],
    [
      'CIBA-7.1-22',
      'binding_message has 101 characters',
      { ...good, binding_message: 'x'.repeat(101) },
      400,
      'invalid_binding_message',
    ],
    [
      'CIBA-7.1-22',
      'binding_message is not normalized',
      { ...good, binding_message: 'e\u0301' },
      400,
      'invalid_binding_message',
    ],
    ['CIBA-7.1-24', 'requested_expiry is zero', { ...good, requested_expiry: '0' }, 400, 'invalid_request'],
    ['CIBA-7.1-24', 'requested_expiry is negative', { ...good, requested_expiry: '-5' }, 400, 'invalid_request'],
    ['CIBA-7.1-24', 'requested_expiry is a fraction', { ...good, requested_expiry: '1.5' }, 400, 'invalid_request'],
    ['CIBA-7.1-24', 'requested_expiry is 1e2', { ...good, requested_expiry: '1e2' }, 400, 'invalid_request'],
    ['CIBA-7.1-24', 'requested_expiry is text', { ...good, requested_expiry: 'soon' }, 400, 'invalid_request'],
    [
      'CIBA-7.1-24',
      'requested_expiry has a leading zero',
      { ...good, requested_expiry: '010' },
      400,
      'invalid_request',
    ],
    ['CIBA-7.1-26', 'there is no hint', { scope: 'openid' }, 400, 'invalid_request'],
    ['CIBA-7.1-26', 'there are two hints', { ...good, id_token_hint: 'a.b.c' }, 400, 'invalid_request'],
    [
      'CIBA-7.2-11',
      'two hints name nobody',
      { scope: 'openid', login_hint: 'nobody', login_hint_token: 'nobody' },
      400,
      'invalid_request',
    ],
    ['CIBA-7.1.1-16', 'request comes from a client that does not sign', { request: 'a.b.c' }, 400, 'invalid_request'],
    ['CIBA-13-01', 'a parameter is repeated', 'scope=openid&scope=openid&login_hint=alice', 400, 'invalid_request'],
    ['CIBA-13-01', 'an unknown parameter is repeated', 'scope=openid&login_hint=alice&x=1&x=2', 400, 'invalid_request'],
    [
      'CIBA-13-01',
      'a parameter is repeated, once empty',
      'scope=openid&login_hint=alice&scope=',
      400,
      'invalid_request',
    ],
    ['R6749-3.2-01', 'an empty hint counts as absent', { scope: 'openid', login_hint: '' }, 400, 'invalid_request'],
    ['Transmit 4.2', 'request_context is no JSON', { ...good, request_context: '{' }, 400, 'invalid_request'],
    ['Transmit 4.2', 'request_context is an array', { ...good, request_context: '[]' }, 400, 'invalid_request'],
    ['Transmit 4.2', 'channel is unknown', { ...good, request_context: '{"channel":"fax"}' }, 400, 'invalid_request'],
    ['Transmit 4.2', 'channel is a number', { ...good, request_context: '{"channel":1}' }, 400, 'invalid_request'],
    [
      'Transmit 4.2',
      'login_hint_type is unknown',
      { ...good, request_context: '{"login_hint_type":"fax"}' },
      400,
      'invalid_request',
    ],
    [
      'Transmit 9.7',
      'custom_message is too long',
      { ...good, request_context: JSON.stringify({ custom_message: 'x'.repeat(501) }) },
      400,
      'invalid_request',
    ],
    [
      'Transmit 9.7',
      'custom_message has controls',
      { ...good, request_context: JSON.stringify({ custom_message: 'a\u0007b' }) },
      400,
      'invalid_request',
    ],
    [
      'threat 46',
      'request_context reaches for a prototype',
      { ...good, request_context: '{"__proto__":{"channel":"link"}}' },
      400,
      'invalid_request',
    ],
    [
      'threat 46',
      'request_context has constructor deep inside',
      { ...good, request_context: '{"a":{"constructor":{"prototype":{}}}}' },
      400,
      'invalid_request',
    ],
    [
      'threat 46',
      'request_context is deep',
      { ...good, request_context: `${'{"a":'.repeat(50)}1${'}'.repeat(50)}` },
      400,
      'invalid_request',
    ],
    [
      'threat 44',
      'there are 51 parameters',
      `scope=openid&login_hint=alice&${Array.from({ length: 50 }, (_, n) => `p${n}=1`).join('&')}`,
      400,
      'invalid_request',
    ],
    ['threat 44', 'a parameter has 16385 characters', { ...good, x: 'x'.repeat(16_385) }, 400, 'invalid_request'],
    ['threat 44', 'the body has a megabyte', { ...good, x: 'x'.repeat(1_000_000) }, 413, 'invalid_request'],
    ['CIBA-7.1-27', 'the body is not UTF-8', 'scope=openid&login_hint=%FF', 400, 'invalid_request'],
    ['CIBA-7.1-27', 'a percent sign is loose', 'scope=openid&login_hint=100%', 400, 'invalid_request'],
  ]
  for (const [rule, what, form, status, error] of table) {
    it(`${rule} refuses: ${what}`, async () => {
      refused(await client.start(form), status, error)
      expect(({} as Record<string, unknown>).channel).to.equal(undefined)
    })
  }

  for (const [what, type, body] of [
    ['JSON', 'application/json', JSON.stringify(good)],
    ['text', 'text/plain', 'scope=openid&login_hint=alice'],
    ['multipart', 'multipart/form-data; boundary=x', '--x--'],
    ['another charset', 'application/x-www-form-urlencoded; charset=iso-8859-1', 'scope=openid&login_hint=alice'],
    ['a near miss', 'application/x-www-form-urlencoded2', 'scope=openid&login_hint=alice'],
  ] as const) {
    it(`CIBA-7.1-27 refuses a body of ${what}`, async () => {
      refused(await client.start(body, { authorization: client.basic, 'content-type': type }), 400, 'invalid_request')
    })
  }

  it('CIBA-7.1-27, R6750-5.3-01 ignores the query', async () => {
    refused(await client.post('/oidc/backchannel?scope=openid&login_hint=alice', { x: '1' }), 400, 'invalid_request')
  })

  it('CIBA-7.2-09 ignores parameters it does not know', async () => {
    accepted(await client.start({ ...good, code_challenge: 'abc', prompt: 'consent', 'a[b]': '1' }))
  })

  it('CIBA-7.1-13 keeps the classes it can reach, in order', async () => {
    accepted(await client.start({ ...good, acr_values: 'urn:other urn:test:pwd urn:test:mfa' }))
  })

  for (const message of ['W4SCT', 'Till 4, 17.50 €', '確認コード 42', 'Оплата 5', 'éà', '🍏 42']) {
    it(`CIBA-7.1-20 takes the message ${message}`, async () => {
      accepted(await client.start({ ...good, binding_message: message }))
    })
  }

  it('CIBA-7.3-01..07, CIBA-7.3-09 acknowledges with an id, a lifetime and an interval', async () => {
    const { body, headers } = await client.start(good)
    expect(body.auth_req_id).to.match(/^[A-Za-z0-9._-]{43,}$/)
    expect(body.expires_in).to.equal(600)
    expect(body.interval).to.equal(5)
    expect(headers.get('cache-control')).to.equal('no-store')
  })

  it('CIBA-7.3-02, R6749-10.10-01 never gives the same id twice', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => client.start(good)))
    expect(new Set(answers.map(({ body }) => body.auth_req_id)).size).to.equal(200)
  })

  it('CIBA-7.1-25 honours a shorter life and cuts a longer one', async () => {
    expect((await client.start({ ...good, requested_expiry: '30' })).body.expires_in).to.equal(30)
    expect((await client.start({ ...good, requested_expiry: '999999' })).body.expires_in).to.equal(600)
  })

  it('Transmit 4.2 reads the hint as a phone number unless told otherwise', async () => {
    accepted(await client.start({ ...good, login_hint: '+15550100', request_context: '{}' }))
    accepted(await client.start({ ...good, ...link, login_hint: 'alice' }))
  })

  it('RFC 9493 reads the iss_sub form', async () => {
    const hint = (iss: string, sub = 'alice') => JSON.stringify({ format: 'iss_sub', iss, sub })
    accepted(await client.start({ ...good, login_hint: hint(host.origin) }))
    accepted(await client.start({ ...good, login_hint: hint(`${host.origin}/`) }))
    refused(await client.start({ ...good, login_hint: hint('https://other.example') }), 400, 'unknown_user_id')
    refused(await client.start({ ...good, login_hint: '{"format":"email","email":"a@b"}' }), 400, 'invalid_request')
  })

  it("Transmit's rule for binding messages: 1 to 20 characters of its own set", async () => {
    const strict = await startHost({ requests: { bindingMessage: 'transmit' } })
    try {
      const start = (binding_message: string) => clientOf(strict).start({ ...good, binding_message })
      accepted(await start('Ab9-._+/!?#'))
      for (const message of ['', 'x'.repeat(21), 'a b', 'é', 'a,b'])
        refused(await start(message), 400, 'invalid_binding_message')
    } finally {
      await strict.close()
    }
  })

  it('CIBA-8-05, CIBA-13-10 asks nobody whose account may not act', async () => {
    const locked = await startHost({
      users: { find: () => ({ sub: 'alice', phone_number: '+15550100' }), isActive: () => false },
    })
    refused(await clientOf(locked).start(good), 403, 'access_denied')
    await locked.close()
  })

  it('says in an event what is wrong with a user whose sub is no text', async () => {
    const host = await startHost({ users: { find: () => ({ sub: 42 as unknown as string }) } })
    refused(await clientOf(host).start(good), 500, 'server_error')
    const fault = host.events.find((event) => event.type === 'fault')
    expect((fault as { cause: Error }).cause.message).to.include(
      'option "users.find" returned a user with a wrong "sub"',
    )
    await host.close()
  })

  it('looks nobody up whom a database could choke on', async () => {
    const asked: string[] = []
    const host = await startHost({ users: { find: ({ hint: { value } }) => void asked.push(value) } })
    for (const login_hint of ['al\0ice', 'alice\n', '{"format":"iss_sub","iss":"ISS","sub":"\\ud800"}']) {
      const hint = login_hint.replace('ISS', host.origin)
      refused(await clientOf(host).start({ ...good, login_hint: hint }), 400, 'unknown_user_id')
    }
    expect(asked).to.deep.equal([])
    await host.close()
  })

  it('CIBA-13-13 answers an outage of the users with 503 and Retry-After', async () => {
    const down = await startHost({
      users: {
        find: () => {
          throw new Error('the directory at 10.1.2.3 is down')
        },
      },
    })
    const answer = await clientOf(down).start(good)
    refused(answer, 503, 'temporarily_unavailable')
    expect(answer.headers.get('retry-after')).to.equal('5')
    expect(JSON.stringify(answer.body)).not.to.include('10.1.2.3')
    expect(down.events.map(({ type }) => type)).to.include('outage')
    await down.close()
  })

  it('threat 7: hides unknown users: the same answer, nothing sent, and it expires', async () => {
    const hiding = await startHost({ requests: { hideUnknownUsers: true } })
    try {
      const hidingClient = clientOf(hiding)
      const known = await hidingClient.start(good)
      const unknown = await hidingClient.start({ ...good, login_hint: 'nobody@example.com' })
      expect(unknown.status).to.equal(known.status)
      expect(Object.keys(unknown.body)).to.deep.equal(Object.keys(known.body))
      expect([...unknown.headers.keys()]).to.deep.equal([...known.headers.keys()])
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(hiding.notices).to.have.length(1)
      hiding.pass(601)
      expect((await hidingClient.poll(unknown.body.auth_req_id)).body.error).to.equal('expired_token')
    } finally {
      await hiding.close()
    }
  })
})

describe('where unknown users are hidden', () => {
  it('so are those who may not be asked, or do not want to be', async () => {
    let isActive = false
    const find: Users['find'] = ({ hint: { value } }) =>
      value === good.login_hint ? { sub: 'alice', phone_number: '+1555' } : undefined
    const hiding = await startHost({ requests: { hideUnknownUsers: true }, users: { find, isActive: () => isActive } })
    expect((await clientOf(hiding).start(good)).status).to.equal(200)
    isActive = true
    await hiding.router.backchannel.block({ clientId: 'till', sub: 'alice' })
    expect((await clientOf(hiding).start(good)).status).to.equal(200)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(hiding.notices).to.deep.equal([])
    await hiding.close()
  })
})

describe('CIBA Core 7.1.2: user codes', () => {
  const clients = [
    {
      client_id: 'till',
      client_secret: 'till-secret-0123456789-0123456789',
      backchannel_token_delivery_mode: 'poll',
      backchannel_user_code_parameter: true,
    },
  ] as const
  const start = async (host: Host, user_code?: string) =>
    (await clientOf(host).start({ ...good, ...(user_code ? { user_code } : {}) })).body.error ?? 'accepted'
  const open = (options = {}) =>
    startHost({
      requests: { userCodes: true },
      clients: { find: ({ clientId: id }) => clients.find((each) => each.client_id === id) },
      users: {
        find: ({ hint: { value } }) =>
          value === good.login_hint ? { sub: 'alice', phone_number: '+15550100' } : undefined,
        checkUserCode: ({ user: _user, userCode: code }) => code === '2468',
      },
      ...options,
    })

  it('CIBA-7.1.2-06..07, CIBA-13-06, CIBA-13-07, CIBA-7.1-23 says missing_user_code and invalid_user_code, and sends nothing before it is right', async () => {
    const host = await open()
    expect(await start(host)).to.equal('missing_user_code')
    expect(await start(host, '1111')).to.equal('invalid_user_code')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(host.notices).to.have.length(0)
    expect(await start(host, '2468')).to.equal('accepted')
    await host.close()
  })

  it('CIBA-7.1.2-10 locks after five wrong codes, the right one included', async () => {
    const host = await open()
    for (let n = 0; n < 5; n++) expect(await start(host, '1111')).to.equal('invalid_user_code')
    expect(await start(host, '2468')).to.equal('access_denied')
    expect(host.events.map(({ type }) => type)).to.include('limit.hit')
    await host.close()
  })

  it('locks users who are not there as well, where that is hidden', async () => {
    const host = await open({ requests: { userCodes: true, hideUnknownUsers: true } })
    const ghost = async () =>
      (await clientOf(host).start({ ...good, login_hint: 'ghost@example.com', user_code: '2468' })).body.error
    for (let n = 0; n < 5; n++) expect(await ghost()).to.equal('invalid_user_code')
    expect(await ghost()).to.equal('access_denied')
    await host.close()
  })

  it('CIBA-7.1.2-01, CIBA-7.1.2-04, CIBA-7.1.2-05 exempts users who want none', async () => {
    const host = await open({
      users: {
        find: () => ({ sub: 'alice', phone_number: '+15550100' }),
        needsUserCode: () => false,
        checkUserCode: () => false,
      },
    })
    expect(await start(host)).to.equal('accepted')
    await host.close()
  })

  it('needs the hook that checks them', async () => {
    let message = ''
    await open({ users: { find: () => undefined } }).catch((thrown: Error) => {
      message = thrown.message
    })
    expect(message).to.match(/option "users.checkUserCode" is missing/)
  })
})
