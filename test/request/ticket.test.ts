import { expect } from 'chai'
import { type BackchannelStore, type DeliveryQueue, memoryStore, type RequestRecord } from 'express-ciba'
import { type AuthleteHost, startAuthlete } from '../helpers/authlete.ts'
import { clients } from '../helpers/host.ts'
import { notificationToken } from '../helpers/notified.ts'

describe('a ticket', () => {
  const added: RequestRecord[] = []
  const queued: string[] = []
  let host: AuthleteHost
  before(async () => {
    const store: BackchannelStore = memoryStore()
    const queue: DeliveryQueue = {
      start: () => {},
      add: async ({ request }) => void queued.push(request),
      wake: async ({ request }) => void queued.push(request),
      failed: async () => [],
      replay: async () => false,
      close: async () => {},
    }
    host = await startAuthlete({
      store: {
        ...store,
        add: (record, limit) => {
          added.push(record)
          return store.add(record, limit)
        },
      },
      delivery: { queue, modes: ['ping'] },
      clients: {
        find: ({ clientId: id }) =>
          id === 'agent'
            ? {
                ...clients[1],
                client_id: 'agent',
                backchannel_token_delivery_mode: 'ping',
                backchannel_client_notification_endpoint: 'https://client.example/cb',
              }
            : undefined,
      },
    })
  })
  after(() => host?.close())

  const asked = {
    scope: 'openid',
    login_hint: 'alice@example.com',
    client_notification_token: notificationToken,
  }
  const issued = async () => {
    const { ticket = '' } = await host.authenticate(asked)
    const { authReqId = '' } = await host.issue(ticket)
    return { ticket, authReqId }
  }

  it('is known to the store by its hash, and so is everything it leads to', async () => {
    const { ticket, authReqId } = await issued()
    const stored = JSON.stringify(added.at(-1))
    for (const secret of [ticket, authReqId, notificationToken, asked.login_hint]) {
      expect(stored).not.to.contain(secret)
    }
    expect(added.at(-1)).to.include({ status: 'received' }).and.not.to.have.any.keys('sub', 'authReqIdHash', 'linkHash')
  })

  it('opens nothing but its own steps', async () => {
    const { ticket, authReqId } = await issued()
    const grant = { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: ticket }
    expect(JSON.parse((await host.token(grant)).responseContent ?? '').error).to.equal('invalid_grant')
    expect(await host.backchannel.find(ticket)).to.equal(undefined)
    expect((await host.complete({ ticket: authReqId })).action).to.equal('SERVER_ERROR')
    expect((await host.issue(authReqId)).action).to.equal('INVALID_TICKET')
  })

  it('leaves notifications to whoever holds it', async () => {
    const { ticket } = await issued()
    expect((await host.complete({ ticket })).action).to.equal('NOTIFICATION')
    await host.backchannel.close()
    expect(queued).to.deep.equal([])
  })
})
