import { expect } from 'chai'
import type {
  BackchannelEvent,
  BackchannelOptions,
  BackchannelStore,
  ClientMetadata,
  DeliveryJob,
  DeliveryMode,
  DeliveryQueue,
  RequestRecord,
} from 'express-ciba'
import { memoryStore } from 'express-ciba'
import { decodeJwt } from 'jose'
import type { Context } from '../../lib/core/context.ts'
import { newHandle, newId } from '../../lib/core/crypto/handles.ts'
import { aad } from '../../lib/core/crypto/vault.ts'
import { BackchannelError } from '../../lib/core/errors.ts'
import { notificationOf } from '../../lib/protocol/notification/body.ts'
import { announce, keepJob, runDelivery } from '../../lib/protocol/notification/notify.ts'
import { takeTokens } from '../../lib/protocol/notification/pushedTokens.ts'
import { requestRecord } from '../../lib/testing/records.ts'
import { contextFor } from '../helpers/context.ts'
import { type Reaction, reactions, receiverCertificate, startReceiver } from '../helpers/receiver.ts'
import { privateJwk } from '../helpers/tokens.ts'

const keys = { keys: [privateJwk('P-256')] }
const client_secret = 'client-secret-0123456789-0123456789'
const scope = ['openid', 'offline_access']
const approved = { result: 'approved', at: 0, sub: 'alice', scope } as const
const outage = new Error('out of reach')

const open: (() => Promise<unknown>)[] = []
afterEach(() => Promise.all(open.splice(0).map((close) => close())))

/** A stored request, the client's receiver, and a context that knows both. */
async function set(
  mode: DeliveryMode,
  { delivery, store = memoryStore(), ...options }: Partial<BackchannelOptions> = {},
  record: Partial<RequestRecord> = {},
) {
  const receiver = await startReceiver()
  open.push(() => receiver.close())
  const watched = watch(store)
  const metadata: ClientMetadata = {
    client_id: 'client',
    client_secret,
    grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
    backchannel_token_delivery_mode: mode,
    backchannel_client_notification_endpoint: receiver.url,
  }
  const { queue, added, woken } = watchedQueue()
  const machine = (more: Partial<BackchannelOptions> = {}) => {
    const ctx = contextFor({
      keys,
      clients: { find: () => metadata },
      ...options,
      store: watched.store,
      delivery: {
        modes: ['poll', 'ping', 'push'],
        queue,
        outbound: { allow: [receiver.host], ca: receiverCertificate.cert },
        ...delivery,
      },
      ...more,
    })
    open.push(() => ctx.outbound.close())
    return ctx
  }
  const ctx = machine()
  const id = newId()
  const authReqId = newHandle(id)
  const stored = requestRecord({
    id,
    deliveryMode: mode,
    details: {
      scope,
      sealedAuthReqId: ctx.vault.seal(authReqId, aad('authReqId', id)),
      sealedNotificationToken: ctx.vault.seal('bearer', aad('notificationToken', id)),
      notificationEndpoint: receiver.url,
    },
    ...record,
  })
  await ctx.store.add(stored)
  const job: DeliveryJob = { request: id, clientId: 'client', expiresAt: stored.expiresAt }
  return {
    ctx,
    machine,
    id,
    authReqId,
    stored,
    added,
    woken,
    minted: watched.minted,
    /** What was made worthless: families of refresh tokens, and access tokens by their `jti`. */
    revoked: watched.revoked,
    react: (...all: Reaction[]) => receiver.react(...all),
    calls: receiver.calls,
    posted: () => receiver.calls.map(({ body }): Record<string, unknown> => JSON.parse(body)),
    run: (attempt = 1, by: Context = ctx) => runDelivery(by, job, attempt),
    approve: () => answer(ctx, id),
    kinds: () => ctx.events.map(({ type }) => type),
    status: async () => (await store.find(id))?.status,
  }
}

async function answer(ctx: Context, id: string): Promise<RequestRecord> {
  const move = { from: 'pending', to: 'approved', changes: { answer: approved }, now: Date.now() } as const
  const moved = await ctx.store.move(id, move)
  if (!moved?.moved) throw new Error('the request could not be approved')
  return moved.record
}

/** A store that keeps what becomes of tokens. */
function watch(base: BackchannelStore) {
  const minted: string[] = []
  const revoked = { families: [] as string[], accessTokens: [] as string[] }
  const store: BackchannelStore = {
    ...base,
    addGrant(grant) {
      minted.push(grant.id)
      return base.addGrant(grant)
    },
    endGrant(id) {
      revoked.families.push(id)
      return base.endGrant(id)
    },
    firstSeen(key, until) {
      if (key.startsWith('revoked ')) revoked.accessTokens.push(key.slice('revoked '.length))
      return base.firstSeen(key, until)
    },
  }
  return { store, minted, revoked }
}

/** A queue that keeps what it is told, and runs nothing. */
function watchedQueue() {
  const added: DeliveryJob[] = []
  const woken: string[] = []
  const queue: DeliveryQueue = {
    start() {},
    add: async (job) => void added.push(job),
    wake: async ({ request }) => void woken.push(request),
    failed: async () => [],
    replay: async () => false,
    close: async () => {},
  }
  return { queue, added, woken }
}

const familyOf = ({ refresh_token }: Record<string, unknown> = {}) => String(refresh_token).slice(0, 16)
const jtiOf = ({ access_token }: Record<string, unknown> = {}) => String(decodeJwt(String(access_token)).jti)
const attemptsIn = (events: readonly BackchannelEvent[]) =>
  events.flatMap((event) => ('attempt' in event ? [{ type: event.type, attempt: event.attempt }] : []))

describe('runDelivery', () => {
  for (const mode of ['ping', 'push'] as const) {
    it(`lets a ${mode} sleep while the user has not answered`, async () => {
      const { run, calls } = await set(mode)
      expect(await run()).to.deep.equal({ next: 'sleep' })
      expect(calls).to.deep.equal([])
    })

    it(`gives a ${mode} up when the client is gone, or has no endpoint any more`, async () => {
      const bare: ClientMetadata = { client_id: 'client', client_secret, backchannel_token_delivery_mode: 'poll' }
      for (const [found, reason] of [
        [undefined, 'client_gone'],
        [bare, 'no_endpoint'],
      ] as const) {
        const { run, approve, kinds, calls } = await set(mode, { clients: { find: () => found } })
        await approve()
        expect(await run()).to.deep.equal({ next: 'park', reason })
        expect(kinds().at(-1)).to.equal('delivery.given_up')
        expect(calls).to.deep.equal([])
      }
    })

    it(`gives a ${mode} up that was sealed with another secret`, async () => {
      const { run, approve, machine, calls } = await set(mode)
      await approve()
      const other = machine({ secret: 'another secret of 32 bytes or more' })
      expect(await run(1, other)).to.deep.equal({ next: 'park', reason: 'unreadable' })
      expect(calls).to.deep.equal([])
    })

    it(`tries a ${mode} again after an outage of the store or the clients, and after a fault`, async () => {
      const wrong = { client_id: 'client', backchannel_token_delivery_mode: 'pigeon' } as unknown as ClientMetadata
      const base = memoryStore()
      let isAway = false
      const store: BackchannelStore = { ...base, find: (id) => (isAway ? Promise.reject(outage) : base.find(id)) }
      for (const [options, seen] of [
        [{ clients: { find: () => Promise.reject(outage) } }, [{ type: 'outage', of: 'clients' }]],
        [{ store }, [{ type: 'outage', of: 'store' }]],
        [{ clients: { find: () => wrong } }, [{ type: 'fault' }]],
      ] as const) {
        const { ctx, run, approve } = await set(mode, options)
        await approve()
        isAway = true
        expect(await run()).to.deep.equal({ next: 'retry' })
        isAway = false
        expect(ctx.events.map(({ type, ...rest }) => ('of' in rest ? { type, of: rest.of } : { type }))).to.deep.equal(
          seen,
        )
      }
    })

    it(`tells what came of each try of a ${mode}`, async () => {
      const { run, approve, react, ctx } = await set(mode)
      await approve()
      react(503, reactions.reset, 204)
      await run(1)
      await run(2)
      await run(3)
      expect(attemptsIn(ctx.events)).to.deep.equal([
        { type: 'delivery.tried', attempt: 1 },
        { type: 'delivery.failed', attempt: 1 },
        { type: 'delivery.tried', attempt: 2 },
        { type: 'delivery.failed', attempt: 2 },
        { type: 'delivery.tried', attempt: 3 },
      ])
    })
  }

  it('has nothing to do for a poll request, or one that is not there', async () => {
    const { ctx, run, approve, calls } = await set('poll')
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    const gone = { request: newId(), clientId: 'client', expiresAt: 0 }
    expect(await runDelivery(ctx, gone, 1)).to.deep.equal({ next: 'end' })
    expect(calls).to.deep.equal([])
  })

  it('pushes the same tokens from three machines at once, and revokes what was minted too much', async () => {
    const { run, approve, machine, react, posted, minted, revoked, status } = await set('push')
    await approve()
    // no call is answered before all have come, so that none finds the tokens delivered
    const waiting: (() => void)[] = []
    react((res) => {
      waiting.push(() => res.writeHead(204).end())
      if (waiting.length === 3) for (const reply of waiting) reply()
    })
    const machines = [machine(), machine(), machine()]
    const results = await Promise.all(machines.map((each) => run(1, each)))
    expect(results.every(({ next }) => next === 'end')).to.equal(true)
    const [pushed] = posted()
    expect(new Set(posted().map(({ access_token }) => access_token)).size).to.equal(1)
    expect([posted().length, minted.length]).to.deep.equal([3, 3])
    expect(revoked.families).to.have.members(minted.filter((family) => family !== familyOf(pushed)))
    expect(revoked.families).to.have.length(2)
    expect(revoked.accessTokens).to.have.length(2)
    expect(revoked.accessTokens).not.to.include(jtiOf(pushed))
    expect(await status()).to.equal('delivered')
  })

  it('revokes the tokens of a push that is given up, and calls the host', async () => {
    const told: unknown[] = []
    const { run, approve, react, posted, minted, revoked, status, id } = await set('push', {
      delivery: { onUndelivered: (each) => void told.push(each) },
    })
    await approve()
    react(500, 403)
    expect(await run(1)).to.deep.equal({ next: 'retry' })
    expect(revoked).to.deep.equal({ families: [], accessTokens: [] })
    expect(await run(2)).to.deep.equal({ next: 'park', reason: 'status_403' })
    expect(revoked).to.deep.equal({ families: minted, accessTokens: [jtiOf(posted()[0])] })
    expect(await status()).to.equal('approved')
    expect(told).to.deep.equal([{ request: id, clientId: 'client', mode: 'push', reason: 'status_403' }])
  })

  it('gives up all the same when the host cannot hear of it', async () => {
    const { run, approve, react, kinds } = await set('push', {
      delivery: {
        onUndelivered: () => {
          throw new Error('pager is down')
        },
      },
    })
    await approve()
    react(401)
    expect(await run()).to.deep.equal({ next: 'park', reason: 'status_401' })
    expect(kinds().slice(-2)).to.deep.equal(['fault', 'delivery.given_up'])
  })

  it('does not mint for a user who may not act any more', async () => {
    const users = { find: () => undefined, isActive: () => false }
    const { run, approve, posted, minted } = await set('push', { users })
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(posted()[0]).to.include({ error: 'access_denied' })
    expect(minted).to.deep.equal([])
  })

  it('pushes once: a job that runs again finds the tokens delivered', async () => {
    const { run, approve, calls } = await set('push')
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(calls).to.have.length(1)
  })

  it('looks again when another machine has delivered a push meanwhile', async () => {
    const store = memoryStore()
    const users = {
      find: () => undefined,
      async isActive() {
        await store.move(id, { from: 'approved', to: 'delivering', now: Date.now() })
        await store.move(id, { from: 'delivering', to: 'delivered', now: Date.now() })
        return true
      },
    }
    const { run, approve, calls, id } = await set('push', { store, users })
    await approve()
    expect(await run()).to.deep.equal({ next: 'retry' })
    expect(await run(2)).to.deep.equal({ next: 'end' })
    expect(calls).to.deep.equal([])
  })

  it('tries a push error again, and says nothing of one that is too late', async () => {
    const denied = { status: 'denied', answer: { result: 'denied', at: 0 } } as const
    const { run, posted, react } = await set('push', {}, denied)
    react(503, 204)
    expect(await run(1)).to.deep.equal({ next: 'retry' })
    expect(await run(2)).to.deep.equal({ next: 'end' })
    expect(posted().map(({ error }) => error)).to.deep.equal(['access_denied', 'access_denied'])
    const late = await set('push', { clock: () => Date.now() + 700_000 }, denied)
    expect(await late.run(1)).to.deep.equal({ next: 'end' })
    expect(await late.run(2)).to.deep.equal({ next: 'park', reason: 'expired' })
    expect(late.calls).to.deep.equal([])
  })

  it('counts a push that arrived as the request expired', async () => {
    let now = Date.now()
    const expiresAt = now + 1000
    const { run, approve, react, status, ctx } = await set('push', { clock: () => now }, { expiresAt })
    react((res) => {
      now = expiresAt + 50
      res.writeHead(204).end()
    })
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(await status()).to.equal('delivered')
    expect(ctx.events.at(-1)).to.include({ type: 'request.delivered', sub: 'alice' })
  })

  it('does not push again what the client has accepted, when the store cannot be told', async () => {
    const base = memoryStore()
    const store: BackchannelStore = {
      ...base,
      move: (id, move) => (move.to === 'delivered' ? Promise.reject(outage) : base.move(id, move)),
    }
    const { run, approve, calls, kinds } = await set('push', { store })
    await approve()
    expect(await run()).to.deep.equal({ next: 'end' })
    expect(calls).to.have.length(1)
    expect(kinds()).to.include('request.delivered')
  })

  it('says nothing of a ping that another process has sent, when its own job ends', async () => {
    const { run, approve, calls, kinds } = await set('ping', { clock: () => Date.now() + 700_000 })
    await approve()
    expect(await run(1)).to.deep.equal({ next: 'end' })
    expect([calls, kinds()]).to.deep.equal([[], []])
  })
})

describe('announce', () => {
  it('wakes the job of an answered request once the caller is gone, and not for poll', async () => {
    const { ctx, woken, stored } = await set('ping')
    announce(ctx, stored)
    announce(ctx, requestRecord({ deliveryMode: 'poll' }))
    expect(woken).to.deep.equal([])
    await ctx.background.close()
    expect(woken).to.deep.equal([stored.id])
  })

  it('leaves a request with a ticket to the backend that holds it', async () => {
    const { ctx, woken, stored } = await set('push')
    announce(ctx, { ...stored, ticketHash: 'hash' })
    await ctx.background.close()
    expect(woken).to.deep.equal([])
  })

  it('reports a queue that cannot be reached, and the answer stands', async () => {
    const queue = { ...watchedQueue().queue, wake: () => Promise.reject(new Error('no Redis')) }
    const { ctx, stored } = await set('ping', { delivery: { queue } })
    announce(ctx, stored)
    await ctx.background.close()
    expect(ctx.events).to.have.length(1)
    expect(ctx.events[0]).to.include({ type: 'outage', of: 'queue' })
  })

  it('wakes a job after the tokens that are being made, so that it finds them', async () => {
    let found: string | undefined
    const wake = async () => {
      found = await status()
    }
    const queue = { ...watchedQueue().queue, wake }
    const { ctx, approve, authReqId, status } = await set('push', { delivery: { queue } })
    const record = await approve()
    const taking = takeTokens(ctx, record, await clientOf(ctx), authReqId)
    announce(ctx, record)
    await ctx.background.close()
    expect(found).to.equal('delivering')
    await taking
  })
})

describe('keepJob', () => {
  it('gives the queue what a job has to know', async () => {
    const { ctx, stored, added } = await set('ping')
    await keepJob(ctx, stored)
    const { id, clientId, expiresAt } = stored
    expect(added).to.deep.equal([{ request: id, clientId, expiresAt }])
  })

  it('rejects when the queue cannot keep it', async () => {
    const queue = { ...watchedQueue().queue, add: () => Promise.reject(new Error('no Redis')) }
    const { ctx, stored } = await set('ping', { delivery: { queue } })
    const thrown = await keepJob(ctx, stored).catch((error: unknown) => error)
    expect(thrown).to.be.instanceOf(BackchannelError)
    expect(thrown).to.include({ code: 'temporarily_unavailable', status: 503 })
    expect(ctx.events[0]).to.include({ type: 'outage', of: 'queue' })
  })
})

describe('takeTokens', () => {
  it('makes the tokens of a push once for callers at the same time, and for those who come later', async () => {
    const { ctx, approve, authReqId, minted, id } = await set('push')
    const record = await approve()
    const client = await clientOf(ctx)
    const [first, second, notification] = await Promise.all([
      takeTokens(ctx, record, client, authReqId),
      takeTokens(ctx, record, client, authReqId),
      notificationOf(ctx, record, client, authReqId),
    ])
    expect(first?.access_token).to.be.a('string')
    expect(second).to.deep.equal(first)
    expect(notification.body).to.deep.equal({ auth_req_id: authReqId, ...first })
    const delivering = await ctx.store.find(id)
    expect(delivering && (await takeTokens(ctx, delivering, client, authReqId))).to.deep.equal(first)
    expect(minted).to.have.length(1)
    expect(ctx.mintings.size).to.equal(0)
  })
})

async function clientOf(ctx: Context) {
  const client = await ctx.clients.find('client')
  if (client === undefined) throw new Error('no such client')
  return client
}
