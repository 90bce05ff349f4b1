import { expect } from 'chai'
import { clientOf } from '../helpers/client.ts'
import { notificationToken, quiet } from '../helpers/notified.ts'
import { type NotifierOptions, startNotifier } from '../helpers/notifier.ts'
import type { Program } from '../helpers/program.ts'
import { type Receiver, reactions, receiverCertificate, startReceiver } from '../helpers/receiver.ts'
import { type Server, skipWithout, startPostgres, startRedis } from '../helpers/servers.ts'

describe('kill -9 (threat 41)', function () {
  this.timeout(60_000)
  let server: Server
  let receiver: Receiver
  const programs: Program[] = []
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')))
    await Promise.all([receiver?.close(), server?.close()])
  })

  const start = async (options: Omit<NotifierOptions, 'url' | 'receiver'>) => {
    const { url, host } = receiver
    const notifier = await startNotifier({
      url: server.url,
      receiver: { url, host, ca: receiverCertificate.cert },
      ...options,
    })
    programs.push(notifier.program)
    return { ...notifier, client: clientOf(notifier) }
  }
  const request = async ({ client }: Awaited<ReturnType<typeof start>>): Promise<string> => {
    const form = { scope: 'openid', login_hint: 'alice', client_notification_token: notificationToken }
    return (await client.start(form)).body.auth_req_id
  }

  describe('with BullMQ', () => {
    before(function () {
      skipWithout(this, 'redis-server')
    })
    beforeEach(async () => {
      server = await startRedis()
    })

    it('between the answer and the call: the ping arrives once after the restart', async () => {
      const first = await start({ store: 'redisStore', queue: 'bullmq', mode: 'ping', dies: 'before the call' })
      const authReqId = await request(first)
      expect((await first.client.complete({ auth_req_id: authReqId, approved: true })).status).to.be.below(300)
      await first.program.line(/^decided$/)
      await first.program.stop('SIGKILL')
      expect(receiver.calls).to.deep.equal([])

      const second = await start({ store: 'redisStore', queue: 'bullmq', mode: 'ping' })
      await receiver.received(1, 30_000)
      expect(receiver.calls[0]?.body).to.equal(JSON.stringify({ auth_req_id: authReqId }))
      expect((await second.client.poll(authReqId)).status).to.equal(200)
      await quiet(2500)
      expect(receiver.calls).to.have.length(1)
    })

    it('between the answer and the call: another machine sends the ping, without any restart', async () => {
      const first = await start({ store: 'redisStore', queue: 'bullmq', mode: 'ping', dies: 'before the call' })
      const authReqId = await request(first)
      await start({ store: 'redisStore', queue: 'bullmq', mode: 'ping' })
      await first.client.complete({ auth_req_id: authReqId, approved: true })
      await first.program.stop('SIGKILL')
      await receiver.received(1, 30_000)
      await quiet(2500)
      expect(receiver.calls).to.have.length(1)
    })

    it('in the middle of a push: another process sends the very same tokens', async () => {
      receiver.react(reactions.hang, 204)
      const first = await start({ store: 'redisStore', queue: 'bullmq', mode: 'push' })
      const authReqId = await request(first)
      await first.client.complete({ auth_req_id: authReqId, approved: true })
      await receiver.received(1)
      await first.program.stop('SIGKILL')
      await start({ store: 'redisStore', queue: 'bullmq', mode: 'push' })
      const [one, two] = await receiver.received(2, 30_000)
      expect(JSON.parse(one?.body ?? ''))
        .to.include({ auth_req_id: authReqId })
        .and.to.have.property('access_token')
      expect(two?.body).to.equal(one?.body)
      await quiet(500)
      expect(receiver.calls).to.have.length(2)
    })
  })

  for (const store of ['redisStore', 'keyvStore', 'postgresStore'] as const) {
    describe(`with the queue in the process, on ${store}`, () => {
      before(function () {
        skipWithout(this, store === 'postgresStore' ? 'postgres' : 'redis-server')
      })
      beforeEach(async () => {
        server = await (store === 'postgresStore' ? startPostgres() : startRedis())
      })

      it('between the answer and the call: the client gets its tokens by polling, once', async () => {
        const first = await start({ store, queue: 'in process', mode: 'ping', dies: 'before the call' })
        const authReqId = await request(first)
        await first.client.complete({ auth_req_id: authReqId, approved: true })
        await first.program.line(/^decided$/)
        await first.program.stop('SIGKILL')

        const { client } = await start({ store, queue: 'in process', mode: 'ping' })
        const answers = await Promise.all(Array.from({ length: 5 }, () => client.poll(authReqId)))
        expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400, 400])
        expect(receiver.calls).to.deep.equal([])
      })
    })
  }
})
