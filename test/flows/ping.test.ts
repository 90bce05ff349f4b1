import { expect } from 'chai'
import { inProcessQueue, memoryStore } from 'express-ciba'
import { eventually, type Notified, notificationToken, quiet, startNotified } from '../helpers/notified.ts'
import { reactions, startReceiver } from '../helpers/receiver.ts'

describe('ping', () => {
  let notified: Notified
  beforeEach(async () => {
    notified = await startNotified('ping')
  })
  afterEach(() => notified.close())
  const tokensOf = async (authReqId: string) => (await notified.client.poll(authReqId)).status

  for (const [word, decide, said] of [
    ['an approval', 'approve', undefined],
    ['a denial', 'deny', 'access_denied'],
  ] as const) {
    it(`tells the client of ${word}, and nothing of what it was`, async () => {
      const { receiver, client } = notified
      const authReqId = await notified.start()
      await notified[decide](authReqId)
      const [ping] = await receiver.received(1)
      expect(ping).to.include({ method: 'POST', url: '/cb', body: JSON.stringify({ auth_req_id: authReqId }) })
      expect(ping?.headers).to.include({
        'content-type': 'application/json',
        authorization: `Bearer ${notificationToken}`,
      })
      const answer = await client.poll(authReqId)
      expect([answer.status, answer.body.error]).to.deep.equal(said === undefined ? [200, undefined] : [400, said])
      await quiet()
      expect(receiver.calls).to.have.length(1)
    })
  }

  it('tells the client of a failure', async () => {
    const authReqId = await notified.start()
    await notified.host.router.backchannel.fail({ request: authReqId, reason: 'other' })
    await notified.receiver.received(1)
    expect((await notified.client.poll(authReqId)).body.error).to.equal('expired_token')
  })

  it('tells the client once more when an answer is repeated, and not each time', async () => {
    const { receiver } = notified
    const authReqId = await notified.start()
    for (const _ of Array.from({ length: 6 })) {
      await notified.approve(authReqId)
      await quiet(40)
    }
    expect(receiver.calls.length).to.be.within(1, 2)
  })

  it('lets the client have its tokens while it is still being pinged, right after an early poll', async () => {
    const { client, receiver } = notified
    const authReqId = await notified.start()
    await client.poll(authReqId)
    const during: number[] = []
    receiver.react(async (res) => {
      during.push((await client.poll(authReqId)).status)
      res.writeHead(204).end()
    })
    await notified.approve(authReqId)
    await eventually(() => during.length === 1)
    expect(during).to.deep.equal([200])
  })

  for (const [what, reaction] of [
    ['200 with a body', reactions.withBody],
    ['204', 204],
    ['301', reactions.redirect(301, '/elsewhere')],
    ['302', reactions.redirect(302, '/elsewhere')],
    ['303', reactions.redirect(303, '/elsewhere')],
    ['307', reactions.redirect(307, '/elsewhere')],
    ['308', reactions.redirect(308, '/elsewhere')],
    ['400', 400],
    ['401', 401],
    ['403', 403],
    ['404', 404],
    ['a dripping body', reactions.drip],
    ['an endless body', reactions.endless],
  ] as const) {
    it(`pings once when the client answers ${what}, and the tokens are still to be had`, async () => {
      notified.receiver.react(reaction)
      const authReqId = await notified.start()
      await notified.approve(authReqId)
      await notified.receiver.received(1)
      await quiet()
      expect(notified.receiver.calls).to.have.length(1)
      expect(await tokensOf(authReqId)).to.equal(200)
      const refused = typeof what === 'string' && /^[34]/.test(what)
      expect(notified.events('delivery.given_up')).to.have.length(refused ? 1 : 0)
    })
  }

  it('is never sent with the bearer to where a redirect points', async () => {
    const inside = await startReceiver()
    notified.receiver.react(reactions.redirect(307, inside.url))
    await notified.approve(await notified.start())
    await notified.receiver.received(1)
    await quiet()
    expect(inside.connections()).to.equal(0)
    await inside.close()
  })

  it('retries 500, 500, 204 with three identical bodies (threat 41)', async () => {
    notified.receiver.react(500, 500, 204)
    const authReqId = await notified.start()
    await notified.approve(authReqId)
    const calls = await notified.receiver.received(3)
    expect(new Set(calls.map(({ body }) => body)).size).to.equal(1)
    await quiet()
    expect(notified.receiver.calls).to.have.length(3)
    expect(notified.events('delivery.failed')).to.have.length(2)
    expect(notified.events('delivery.given_up')).to.deep.equal([])
  })

  it('waits as long as 429 asks', async () => {
    notified.receiver.react(reactions.wait(1), 204)
    await notified.approve(await notified.start())
    const [first, second] = await notified.receiver.received(2)
    expect((second?.at ?? 0) - (first?.at ?? 0)).to.be.within(950, 2500)
  })

  for (const [what, reaction] of [
    ['hangs', reactions.hang],
    ['breaks the connection', reactions.reset],
  ] as const) {
    it(`retries when the client ${what}`, async () => {
      notified.receiver.react(reaction, 204)
      await notified.approve(await notified.start())
      await notified.receiver.received(2)
      await quiet()
      expect(notified.receiver.calls).to.have.length(2)
    })
  }

  it('lets the click go through at once, whatever the endpoint does', async () => {
    notified.receiver.react(reactions.hang)
    const authReqId = await notified.start()
    const begun = Date.now()
    await notified.approve(authReqId)
    expect(Date.now() - begun).to.be.below(300)
    expect(await tokensOf(authReqId)).to.equal(200)
  })

  it('answers the click before it pings', async () => {
    const order: string[] = []
    notified.receiver.react((res) => {
      order.push('pinged')
      res.writeHead(204).end()
    })
    for (let round = 0; round < 5; round++) {
      await notified.approve(await notified.start())
      order.push('answered')
      await notified.receiver.received(round + 1)
    }
    expect(order).to.deep.equal(Array(5).fill(['answered', 'pinged']).flat())
  })

  it('stops retrying once the client has polled', async () => {
    notified.receiver.react(500)
    const authReqId = await notified.start()
    await notified.approve(authReqId)
    await notified.receiver.received(1)
    expect(await tokensOf(authReqId)).to.equal(200)
    await quiet(150)
    const { length } = notified.receiver.calls
    await quiet()
    expect(notified.receiver.calls).to.have.length(length)
  })

  it('gives up when the request expires, and says so', async () => {
    await notified.close()
    const undelivered: object[] = []
    notified = await startNotified('ping', { delivery: { onUndelivered: (each) => void undelivered.push(each) } })
    notified.receiver.react(500)
    const authReqId = await notified.start({ requested_expiry: '1' })
    await notified.approve(authReqId)
    await eventually(() => undelivered.length === 1)
    const told = { request: authReqId.slice(0, 16), clientId: 'till', mode: 'ping', reason: 'expired' }
    expect(undelivered).to.deep.equal([told])
    expect(notified.events('delivery.given_up')).to.deep.equal([{ type: 'delivery.given_up', ...told }])
    const { length } = notified.receiver.calls
    expect(length).to.be.greaterThan(1)
    await quiet()
    expect(notified.receiver.calls).to.have.length(length)
  })

  it('lists what was given up and replays it', async () => {
    const { deliveries } = notified.host.router.backchannel
    notified.receiver.react(403)
    const authReqId = await notified.start()
    await notified.approve(authReqId)
    await eventually(async () => (await deliveries.failed()).length === 1)
    const [failure] = await deliveries.failed()
    expect(failure).to.include({ clientId: 'till', reason: 'status_403', attempts: 1 })
    notified.receiver.react(204)
    expect(await deliveries.replay(failure?.request ?? '')).to.equal(true)
    expect((await notified.receiver.received(2))[1]?.body).to.equal(JSON.stringify({ auth_req_id: authReqId }))
    expect(await deliveries.failed()).to.deep.equal([])
  })

  it('is promised to nobody while the queue cannot keep it: the request is over, and the client may try again', async () => {
    await notified.close()
    let isDown = true
    const written: string[] = []
    const store = memoryStore()
    const queue = inProcessQueue()
    notified = await startNotified('ping', {
      delivery: {
        queue: { ...queue, add: (job) => (isDown ? Promise.reject(new Error('no Redis')) : queue.add(job)) },
      },
      store: {
        ...store,
        move: (id, move) => {
          written.push(`${move.from} → ${move.to}`)
          return store.move(id, move)
        },
      },
    })
    const form = { scope: 'openid', login_hint: 'alice@example.com', client_notification_token: notificationToken }
    const { status, body } = await notified.client.start(form)
    expect([status, body.error]).to.deep.equal([503, 'temporarily_unavailable'])
    expect(written).to.deep.equal(['pending → failed'])
    expect(notified.events('request.accepted')).to.deep.equal([])
    expect(notified.host.notices).to.deep.equal([])
    isDown = false
    expect((await notified.client.start(form)).status).to.equal(200)
  })

  it('is not sent when the request merely expires', async () => {
    await notified.start({ requested_expiry: '1' })
    await eventually(() => notified.events('request.expired').length === 1)
    expect(notified.receiver.calls).to.deep.equal([])
  })

  it('is never sent to a poll client (row N6)', async () => {
    notified.till.backchannel_token_delivery_mode = 'poll'
    const authReqId = await notified.start()
    notified.till.backchannel_token_delivery_mode = 'ping'
    await notified.approve(authReqId)
    await quiet()
    expect(notified.receiver.connections()).to.equal(0)
  })

  it('goes to the endpoint registered at the time of sending, and an event tells of the change (threat 39)', async () => {
    const moved = await startReceiver()
    await notified.close()
    notified = await startNotified('ping', { delivery: { outbound: { allow: [moved.host] } } })
    const authReqId = await notified.start()
    notified.till.backchannel_client_notification_endpoint = moved.url
    await notified.approve(authReqId)
    await moved.received(1)
    expect(notified.receiver.connections()).to.equal(0)
    expect(notified.events('delivery.endpoint_changed')).to.have.length(1)
    await moved.close()
  })

  it('refuses an endpoint inside, and the request goes on by polling (threat 34)', async () => {
    await notified.close()
    notified = await startNotified('ping', { delivery: { outbound: { allow: [] } } })
    const authReqId = await notified.start()
    await notified.approve(authReqId)
    await eventually(() => notified.events('delivery.given_up').length === 1)
    expect(notified.events('delivery.given_up')[0]).to.include({ reason: 'forbidden' })
    expect(notified.receiver.connections()).to.equal(0)
    expect(await tokensOf(authReqId)).to.equal(200)
  })

  it('does not let a dead endpoint hold up another client', async () => {
    const dead = await startReceiver({}, reactions.hang)
    const { till } = notified
    await notified.close()
    const alive = await startReceiver()
    notified = await startNotified('ping', {
      clients: {
        find: ({ clientId: id }) =>
          id === 'till'
            ? { ...till, backchannel_client_notification_endpoint: dead.url }
            : {
                ...till,
                client_id: 'agent',
                backchannel_client_notification_endpoint: alive.url,
              },
      },
      delivery: { outbound: { allow: [dead.host, alive.host], totalSeconds: 3 } },
    })
    const agent = `Basic ${Buffer.from('agent:till-secret-0123456789-0123456789').toString('base64')}`
    for (let n = 0; n < 12; n++) await notified.approve(await notified.start())
    await dead.received(4)
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: notificationToken }
    const { body } = await notified.client.start(form, { authorization: agent })
    const begun = Date.now()
    await notified.approve(body.auth_req_id)
    await alive.received(1)
    expect(Date.now() - begun).to.be.below(1000)
    expect(dead.calls).to.have.length(4)
    await Promise.all([dead.close(), alive.close()])
  })

  it('keeps neither the auth_req_id nor the notification token readable', async () => {
    const stored: string[] = []
    const store = memoryStore()
    await notified.close()
    notified = await startNotified('ping', {
      store: {
        ...store,
        add: (record, limit) => {
          stored.push(JSON.stringify(record))
          return store.add(record, limit)
        },
      },
    })
    const authReqId = await notified.start()
    expect(stored).to.have.length(1)
    expect(stored[0]).not.to.include(authReqId).and.not.to.include(notificationToken)
  })
})
