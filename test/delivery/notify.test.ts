import { expect } from 'chai'
import type { BackchannelEvent, ClientMetadata, DeliveryQueue, DeliveryRun } from 'express-ciba'
import { memoryStore } from 'express-ciba'
import type { Client } from '../../lib/contracts/contracts.ts'
import { contextOf, createVault, newHandle, newId } from '../../lib/core/crypto/vault.ts'
import { BackchannelError } from '../../lib/core/errors.ts'
import { OutboundError } from '../../lib/core/outbound/outboundError.ts'
import type { DeliveryMode, RequestRecord } from '../../lib/core/request.ts'
import { createNotify, type NotifyParts } from '../../lib/protocol/notification/notify.ts'
import { requestRecord } from '../../lib/testing/storeContract.ts'

const vault = createVault(Buffer.alloc(32, 1))
const endpoint = 'https://client.example/cb'
const metadata: ClientMetadata = { client_id: 'client', backchannel_client_notification_endpoint: endpoint }
const client: Client = { id: 'client', name: 'client', authMethod: 'client_secret_basic', metadata }
const approved = { result: 'approved', at: 0, sub: 'alice', scope: ['openid'] } as const

async function set(mode: DeliveryMode, changes: Partial<NotifyParts> = {}, record: Partial<RequestRecord> = {}) {
  const store = changes.store ?? memoryStore()
  const events: BackchannelEvent[] = []
  const posted: { url: string; body: Record<string, unknown> }[] = []
  const woken: string[] = []
  const revoked: unknown[] = []
  const statuses: (number | Error)[] = []
  let minted = 0
  const queue = { wake: async ({ request }) => void woken.push(request), close: async () => {} } as DeliveryQueue
  const parts: NotifyParts = {
    store,
    clock: Date.now,
    emit: (event) => events.push(event),
    vault,
    queue,
    findClient: async () => client,
    isActive: async () => true,
    async post(url, { body }) {
      posted.push({ url, body: JSON.parse(body) })
      await new Promise((resolve) => setTimeout(resolve, 10))
      const next = statuses.shift() ?? 204
      if (next instanceof Error) throw next
      return { status: next }
    },
    async mintTokens() {
      minted += 1
      const tokens = { access_token: `token-${minted}` }
      await new Promise(setImmediate)
      return tokens
    },
    revokeTokens: async (_record, tokens) => void revoked.push(tokens),
    ...changes,
  }
  const notify = createNotify(parts)
  const id = newId()
  await store.add(
    requestRecord({
      id,
      deliveryMode: mode,
      details: {
        scope: ['openid'],
        sealedAuthReqId: vault.seal(newHandle(id), contextOf('authReqId', id)),
        sealedNotificationToken: vault.seal('bearer', contextOf('notificationToken', id)),
        notificationEndpoint: endpoint,
      },
      ...record,
    }),
  )
  const job = { request: id, clientId: 'client', expiresAt: Date.now() + 600_000 }
  const run = (attempt = 1, by: DeliveryRun = notify.run) => by(job, attempt)
  const approve = () =>
    store.move(id, { from: 'pending', to: 'approved', changes: { answer: approved }, now: Date.now() })
  const kinds = () => events.map(({ type }) => type)
  const status = async () => (await store.find(id))?.status
  return { parts, notify, run, approve, events, kinds, posted, woken, revoked, statuses, status, minted: () => minted }
}

describe('notify', () => {
  for (const mode of ['ping', 'push'] as const) {
    it(`lets a ${mode} sleep while the user has not answered`, async () => {
      const { run, posted } = await set(mode)
      expect(await run()).to.deep.equal({ next: 'sleep' })
      expect(posted).to.deep.equal([])
    })

    it(`gives a ${mode} up when the client is gone, or has no endpoint any more`, async () => {
      const bare: Client = { ...client, metadata: { client_id: 'client' } }
      for (const [found, reason] of [
        [undefined, 'client_gone'],
        [bare, 'no_endpoint'],
      ] as const) {
        const { run, approve, kinds } = await set(mode, { findClient: async () => found })
        await approve()
        expect(await run()).to.deep.equal({ next: 'park', reason })
        expect(kinds().at(-1)).to.equal('delivery.given_up')
      }
    })

    it(`gives a ${mode} up that was sealed with another secret`, async () => {
      const { run, approve, posted } = await set(mode, { vault: createVault(Buffer.alloc(32, 2)) })
      await approve()
      expect(await run()).to.deep.equal({ next: 'park', reason: 'unreadable' })
      expect(posted).to.deep.equal([])
    })

    it(`tries a ${mode} again after an outage of the store or the clients, and after a fault`, async () => {
      const outage = new BackchannelError('temporarily_unavailable', 'out of reach')
      for (const [thrown, seen] of [
        [outage, []],
        [new Error('a bug'), ['fault']],
      ] as const) {
        const { run, approve, kinds } = await set(mode, { findClient: () => Promise.reject(thrown) })
        await approve()
        expect(await run()).to.deep.equal({ next: 'retry' })
        expect(kinds()).to.deep.equal(seen)
      }
    })

    it(`tells what came of each try of a ${mode}`, async () => {
      const { run, approve, statuses, events } = await set(mode)
      await approve()
      statuses.push(503, new OutboundError('timeout', 'late'))
      await run(1)
      await run(2)
      await run(3)
      const about = events.map(({ type, ...rest }) => ({
        type,
        ...('attempt' in rest ? { attempt: rest.attempt } : {}),
      }))
      expect(about.slice(0, 5)).to.deep.equal([
        { type: 'delivery.tried', attempt: 1 },
        { type: 'delivery.failed', attempt: 1 },
        { type: 'delivery.tried', attempt: 2 },
        { type: 'delivery.failed', attempt: 2 },
        { type: 'delivery.tried', attempt: 3 },
      ])
    })
  }

  it('has nothing to do for a poll request, or one that is not there', async () => {
    const poll = await set('poll')
    await poll.approve()
    expect(await poll.run()).to.deep.equal({ next: 'end' })
    expect(poll.posted).to.deep.equal([])
    const gone = { request: newId(), clientId: 'client', expiresAt: 0 }
    expect(await poll.notify.run(gone, 1)).to.deep.equal({ next: 'end' })
  })

  it('wakes the job of an answered request once the caller is gone, and not for poll', async () => {
    const { notify, woken } = await set('ping')
    const record = requestRecord({ deliveryMode: 'ping' })
    notify.announce(record)
    notify.announce(requestRecord({ deliveryMode: 'poll' }))
    expect(woken).to.deep.equal([])
    await notify.close()
    expect(woken).to.deep.equal([record.id])
  })

  it('reports a queue that cannot be reached, and the answer stands', async () => {
    const queue = {
      wake: () => Promise.reject(new Error('no Redis')),
      close: async () => {},
    } as unknown as DeliveryQueue
    const { notify, events } = await set('ping', { queue })
    notify.announce(requestRecord({ deliveryMode: 'ping' }))
    await notify.close()
    expect(events).to.have.length(1)
    expect(events[0]).to.include({ type: 'outage', of: 'queue' })
  })

  it('pushes the same tokens from two machines at once, and revokes what was minted too much', async () => {
    const { parts, run, approve, posted, revoked, minted, status } = await set('push')
    await approve()
    const machines = [createNotify(parts), createNotify(parts), createNotify(parts)]
    const results = await Promise.all(machines.map((machine) => run(1, machine.run)))
    expect(results.every(({ next }) => next === 'end')).to.equal(true)
    expect(new Set(posted.map(({ body }) => body.access_token)).size).to.equal(1)
    expect([posted.length, minted()]).to.deep.equal([3, 3])
    expect(revoked).to.have.length(2)
    expect(revoked).not.to.deep.include({ access_token: posted[0]?.body.access_token })
    expect(await status()).to.equal('delivered')
  })

  it('revokes the tokens of a push that is given up, and calls the host', async () => {
    const told: unknown[] = []
    const { run, approve, statuses, revoked, status } = await set('push', {
      onUndelivered: (each) => void told.push(each),
    })
    await approve()
    statuses.push(500, 403)
    expect(await run(1)).to.deep.equal({ next: 'retry' })
    expect(revoked).to.deep.equal([])
    expect(await run(2)).to.deep.equal({ next: 'park', reason: 'status_403' })
    expect(revoked).to.deep.equal([{ access_token: 'token-1' }])
    expect(await status()).to.equal('approved')
    expect(told).to.have.length(1)
  })

  it('gives up all the same when the host cannot hear of it', async () => {
    const { run, approve, statuses, kinds } = await set('push', {
      onUndelivered: () => {
        throw new Error('pager is down')
      },
    })
    await approve()
    statuses.push(401)
    expect(await run()).to.deep.equal({ next: 'park', reason: 'status_401' })
    expect(kinds().slice(-2)).to.deep.equal(['fault', 'delivery.given_up'])
  })

  it('does not mint for a user who may not act any more', async () => {
    const { run, approve, posted, minted } = await set('push', { isActive: async () => false })
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(posted[0]?.body).to.include({ error: 'access_denied' })
    expect(minted()).to.equal(0)
  })

  it('pushes once: a job that runs again finds the tokens delivered', async () => {
    const { run, approve, posted } = await set('push')
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(posted).to.have.length(1)
  })

  it('looks again when another machine has delivered a push meanwhile', async () => {
    let id = ''
    const { run, approve, posted, parts } = await set('push', {
      isActive: async () => {
        await parts.store.move(id, { from: 'approved', to: 'delivering', now: Date.now() })
        await parts.store.move(id, { from: 'delivering', to: 'delivered', now: Date.now() })
        return true
      },
    })
    id = (await approve())?.record.id ?? ''
    expect(await run()).to.deep.equal({ next: 'retry' })
    expect(await run(2)).to.deep.equal({ next: 'end' })
    expect(posted).to.deep.equal([])
  })

  it('tries a push error again, and says nothing of one that is too late', async () => {
    const denied = { result: 'denied', at: 0 } as const
    const { run, posted, statuses } = await set('push', {}, { status: 'denied', answer: denied })
    statuses.push(503)
    expect(await run(1)).to.deep.equal({ next: 'retry' })
    expect(await run(2)).to.deep.equal({ next: 'end' })
    expect(posted.map(({ body }) => body.error)).to.deep.equal(['access_denied', 'access_denied'])
    const late = await set('push', { clock: () => Date.now() + 700_000 }, { status: 'denied', answer: denied })
    expect(await late.run(1)).to.deep.equal({ next: 'end' })
    expect(await late.run(2)).to.deep.equal({ next: 'park', reason: 'expired' })
    expect(late.posted).to.deep.equal([])
  })

  it('counts a push that arrived as the request expired', async () => {
    let now = Date.now()
    const expiresAt = now + 1000
    const { run, approve, status, events } = await set(
      'push',
      {
        clock: () => now,
        async post() {
          now = expiresAt + 50
          return { status: 204 }
        },
      },
      { expiresAt },
    )
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(await status()).to.equal('delivered')
    expect(events.at(-1)).to.include({ type: 'request.delivered', sub: 'alice' })
  })

  it('does not push again what the client has accepted, when the store cannot be told', async () => {
    const base = memoryStore()
    const outage = new BackchannelError('temporarily_unavailable', 'out of reach')
    const store = {
      ...base,
      move: (...args: Parameters<typeof base.move>) =>
        args[1].to === 'delivered' ? Promise.reject(outage) : base.move(...args),
    }
    const { run, approve, posted, kinds } = await set('push', { store })
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(posted).to.have.length(1)
    expect(kinds()).to.include('request.delivered')
  })

  it('says nothing of a ping that another process has sent, when its own job ends', async () => {
    const { run, approve, posted, kinds } = await set('ping', { clock: () => Date.now() + 700_000 })
    await approve()
    expect(await run(1)).to.deep.equal({ next: 'end' })
    expect([posted, kinds()]).to.deep.equal([[], []])
  })
})
