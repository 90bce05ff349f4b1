import { Authlete } from '@authlete/typescript-sdk'
import type {
  BackchannelAuthenticationCompleteRequestResult,
  BackchannelAuthenticationFailRequestReason,
} from '@authlete/typescript-sdk/models'
import { ResultError } from '@authlete/typescript-sdk/models/errors'
import { expect } from 'chai'
import type { ClientMetadata } from 'express-ciba'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { type AuthleteHost, bearer, serviceId, startAuthlete } from '../helpers/authlete.ts'
import { clients } from '../helpers/host.ts'
import { notificationToken } from '../helpers/notified.ts'
import { type Receiver, receiverCertificate, startReceiver } from '../helpers/receiver.ts'

const asked = { scope: 'openid', login_hint: 'alice@example.com' }
const unknownTicket = 'A'.repeat(59)

type Mode = 'poll' | 'ping' | 'push'
const modes: readonly Mode[] = ['poll', 'ping', 'push']
const errors = { AUTHORIZED: undefined, ACCESS_DENIED: 'access_denied', TRANSACTION_FAILED: 'expired_token' } as const
const reasons: readonly [BackchannelAuthenticationFailRequestReason, string, string][] = [
  ['EXPIRED_LOGIN_HINT_TOKEN', 'expired_login_hint_token', 'BAD_REQUEST'],
  ['UNKNOWN_USER_ID', 'unknown_user_id', 'BAD_REQUEST'],
  ['UNAUTHORIZED_CLIENT', 'unauthorized_client', 'BAD_REQUEST'],
  ['MISSING_USER_CODE', 'missing_user_code', 'BAD_REQUEST'],
  ['INVALID_USER_CODE', 'invalid_user_code', 'BAD_REQUEST'],
  ['INVALID_BINDING_MESSAGE', 'invalid_binding_message', 'BAD_REQUEST'],
  ['INVALID_TARGET', 'invalid_target', 'BAD_REQUEST'],
  ['ACCESS_DENIED', 'access_denied', 'FORBIDDEN'],
  ['SERVER_ERROR', 'server_error', 'INTERNAL_SERVER_ERROR'],
]

describe("Authlete's SDK", function () {
  this.timeout(15_000)
  let host: AuthleteHost
  let receiver: Receiver
  before(async () => {
    receiver = await startReceiver()
    host = await startAuthlete({
      polling: { intervalSeconds: 1 },
      clients: { find: ({ clientId: id }) => all(receiver.url).find((each) => each.client_id === id) },
      delivery: { modes: ['poll', 'ping', 'push'] },
    })
  })
  after(async () => {
    await host?.close()
    await receiver?.close()
  })

  const ticketOf = async (mode: Mode = 'poll', parameters: object = {}): Promise<string> => {
    const { action, ticket, responseContent } = await host.authenticate({ ...asked, ...whoIs(mode), ...parameters })
    if (action !== 'USER_IDENTIFICATION' || ticket === undefined) throw new Error(`refused: ${responseContent}`)
    return ticket
  }
  const issued = async (mode: Mode = 'poll', parameters: object = {}) => {
    const ticket = await ticketOf(mode, parameters)
    const { action, authReqId = '' } = await host.issue(ticket)
    expect(action).to.equal('OK')
    return { ticket, authReqId }
  }
  const poll = (authReqId: string, mode: Mode = 'poll', more: object = {}) =>
    host.token({ ...whoIs(mode), grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: authReqId }, more)

  describe('under a whole server', () => {
    const discover = (auth: client.ClientAuth, id: string) =>
      client.discovery(new URL(host.origin), id, undefined, auth, {
        execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
      })
    const start = (config: client.Configuration, login_hint = 'alice@example.com') =>
      client.initiateBackchannelAuthentication(config, { scope: 'openid', login_hint })
    const refusalOf = (promise: Promise<unknown>) =>
      promise.then(
        () => 'accepted',
        (thrown: client.ResponseBodyError) => `${thrown.status} ${thrown.error ?? 'challenge'}`,
      )

    for (const [id, auth] of [
      ['till', client.ClientSecretBasic('till-secret-0123456789-0123456789')],
      ['agent', client.ClientSecretPost('agent-secret-0123456789-0123456789')],
    ] as const) {
      it(`lets openid-client poll for validated tokens, as ${id}`, async () => {
        const config = await discover(auth, id)
        const started = await start(config)
        const ticket = host.tickets.get(started.auth_req_id) ?? ''
        setTimeout(() => host.complete({ ticket }), 1200)
        const tokens = await client.pollBackchannelAuthenticationGrant(config, started)
        expect(tokens.claims()).to.include({ iss: host.origin, sub: 'alice', aud: id })
      })
    }

    it('lets openid-client hear of a denial, a failure, an unknown user and a wrong secret', async () => {
      const config = await discover(client.ClientSecretBasic('till-secret-0123456789-0123456789'), 'till')
      const ends = async (result: BackchannelAuthenticationCompleteRequestResult) => {
        const started = await start(config)
        await host.complete({ ticket: host.tickets.get(started.auth_req_id) ?? '', result })
        return refusalOf(client.pollBackchannelAuthenticationGrant(config, started))
      }
      expect(await ends('ACCESS_DENIED')).to.equal('400 access_denied')
      expect(await ends('TRANSACTION_FAILED')).to.equal('400 expired_token')
      expect(await refusalOf(start(config, 'nobody'))).to.equal('400 unknown_user_id')
      const wrong = await discover(client.ClientSecretBasic('wrong'), 'till')
      expect(await refusalOf(start(wrong))).to.equal('401 challenge')
    })

    for (const mode of ['ping', 'push'] as const) {
      it(`delivers a ${mode} from what complete hands out, and nothing besides`, async () => {
        const { ticket, authReqId } = await issued(mode)
        const calls = receiver.calls.length
        const completed = await host.complete({ ticket })
        expect(completed).to.include({ action: 'NOTIFICATION', authReqId, deliveryMode: mode.toUpperCase() })
        const { clientNotificationEndpoint = '', clientNotificationToken, responseContent = '' } = completed
        const status = await post(clientNotificationEndpoint, `Bearer ${clientNotificationToken}`, responseContent)
        expect(status).to.equal(204)
        const call = (await receiver.received(calls + 1))[calls]
        expect(call?.headers.authorization).to.equal(`Bearer ${notificationToken}`)
        const body = JSON.parse(call?.body ?? '')
        expect(body.auth_req_id).to.equal(authReqId)
        if (mode === 'ping') {
          expect(Object.keys(body)).to.deep.equal(['auth_req_id'])
          expect((await poll(authReqId, mode)).action).to.equal('OK')
        } else {
          expect(decodeJwt(body.id_token)).to.include({
            sub: 'alice',
            'urn:openid:params:jwt:claim:auth_req_id': authReqId,
          })
          expect(completed).to.include({ accessToken: body.access_token, idToken: body.id_token })
        }
        expect(receiver.calls.length).to.equal(calls + 1)
      })
    }
  })

  describe('fail', () => {
    for (const [reason, error, action] of reasons) {
      for (const mode of modes) {
        it(`says ${error} to a ${mode} client`, async () => {
          const ticket = await ticketOf(mode)
          const failed = await host.fail(ticket, reason, {
            errorDescription: 'Because.',
            errorUri: 'https://example.com/why',
          })
          expect(failed.action).to.equal(action)
          expect(JSON.parse(failed.responseContent ?? '')).to.deep.equal({
            error,
            error_description: 'Because.',
            error_uri: 'https://example.com/why',
          })
          expect((await host.issue(ticket)).action).to.equal('INVALID_TICKET')
        })
      }
    }

    it('may be repeated for the same reason and no other', async () => {
      const ticket = await ticketOf()
      await host.fail(ticket, 'INVALID_USER_CODE')
      expect((await host.fail(ticket, 'INVALID_USER_CODE')).action).to.equal('BAD_REQUEST')
      expect((await host.fail(ticket, 'ACCESS_DENIED')).action).to.equal('INTERNAL_SERVER_ERROR')
    })

    it('refuses tickets that are unknown, issued or over', async () => {
      const { ticket } = await issued()
      expect((await host.fail(unknownTicket, 'ACCESS_DENIED')).action).to.equal('INTERNAL_SERVER_ERROR')
      expect((await host.fail(ticket, 'ACCESS_DENIED')).action).to.equal('INTERNAL_SERVER_ERROR')
      expect((await host.complete({ ticket })).action).to.equal('NO_ACTION')
    })
  })

  describe('complete', () => {
    for (const result of ['AUTHORIZED', 'ACCESS_DENIED', 'TRANSACTION_FAILED'] as const) {
      for (const mode of modes) {
        it(`takes ${result} of a ${mode} client`, async () => {
          const { ticket, authReqId } = await issued(mode)
          const completed = await host.complete({ ticket, result })
          expect(completed).to.include({ deliveryMode: mode.toUpperCase(), authReqId, clientName: 'Corner Bank till' })
          expect(completed.action).to.equal(mode === 'poll' ? 'NO_ACTION' : 'NOTIFICATION')
          const content = JSON.parse(completed.responseContent ?? '{}')
          if (mode === 'push') {
            expect(content.auth_req_id).to.equal(authReqId)
            expect(content.error).to.equal(errors[result])
            expect('access_token' in content).to.equal(result === 'AUTHORIZED')
          } else {
            expect(content).to.deep.equal(mode === 'ping' ? { auth_req_id: authReqId } : {})
            const answer = await poll(authReqId, mode)
            expect(answer.action).to.equal(result === 'AUTHORIZED' ? 'OK' : 'BAD_REQUEST')
            expect(JSON.parse(answer.responseContent ?? '').error).to.equal(errors[result])
          }
        })

        it(`answers the same when ${result} of a ${mode} client is repeated, and lets nothing else follow`, async () => {
          const { ticket } = await issued(mode)
          const first = await host.complete({ ticket, result })
          expect(await host.complete({ ticket, result })).to.deep.equal(first)
          const other = result === 'AUTHORIZED' ? 'ACCESS_DENIED' : 'AUTHORIZED'
          expect((await host.complete({ ticket, result: other })).action).to.equal('SERVER_ERROR')
        })
      }
    }

    it('refuses tickets that are unknown, not issued or over', async () => {
      const ticket = await ticketOf()
      expect((await host.complete({ ticket: unknownTicket })).action).to.equal('SERVER_ERROR')
      expect((await host.complete({ ticket })).action).to.equal('SERVER_ERROR')
      await host.issue(ticket)
      const short = await issued('poll', { requested_expiry: '60' })
      host.pass(61)
      expect((await host.complete({ ticket: short.ticket })).action).to.equal('SERVER_ERROR')
      expect((await host.complete({ ticket })).action).to.equal('NO_ACTION')
    })

    it('lets one user stand when two are named at once', async () => {
      const { ticket } = await issued()
      const both = await Promise.all(['alice', 'bob'].map((subject) => host.complete({ ticket, subject })))
      expect(both.map(({ action }) => action).sort()).to.deep.equal(['NO_ACTION', 'SERVER_ERROR'])
    })
  })

  describe('tickets', () => {
    it('are issued once', async () => {
      const ticket = await ticketOf()
      const all = await Promise.all([1, 2, 3, 4].map(() => host.issue(ticket)))
      const actions = all.map(({ action }) => action).sort()
      expect(actions).to.deep.equal(['INVALID_TICKET', 'INVALID_TICKET', 'INVALID_TICKET', 'OK'])
    })

    it('are worthless after ten minutes, and when nobody knows them', async () => {
      const [ticket, other] = [await ticketOf(), await ticketOf()]
      host.pass(599)
      expect((await host.issue(other)).action).to.equal('OK')
      host.pass(2)
      expect((await host.issue(ticket)).action).to.equal('INVALID_TICKET')
      expect((await host.fail(ticket, 'ACCESS_DENIED')).action).to.equal('INTERNAL_SERVER_ERROR')
      expect((await host.issue(unknownTicket)).action).to.equal('INVALID_TICKET')
    })
  })

  describe('is refused', () => {
    const refusal = async (token: string, service: string): Promise<[number, string | undefined]> => {
      const sdk = new Authlete({ bearer: token, serverURL: guarded.api })
      const call = { serviceId: service, backchannelAuthenticationIssueRequest: { ticket: 't' } }
      const thrown = await sdk.ciba.issue(call).catch((error: unknown) => error)
      if (!(thrown instanceof ResultError)) throw new Error(`not refused: ${JSON.stringify(thrown)}`)
      return [thrown.statusCode, thrown.resultCode]
    }
    let guarded: AuthleteHost
    before(async () => {
      guarded = await startAuthlete({ management: { serviceId } })
    })
    after(() => guarded?.close())

    it('with a wrong bearer, whatever the service', async () => {
      expect(await refusal('wrong', serviceId)).to.deep.equal([401, 'A001202'])
      expect(await refusal('wrong', '1')).to.deep.equal([401, 'A001202'])
    })

    it('at an unknown service', async () => {
      expect(await refusal(bearer, '1')).to.deep.equal([403, 'A001203'])
    })
  })
})

/** The clients of every host, and one for each mode. */
function all(endpoint: string): readonly ClientMetadata[] {
  const ofMode = (mode: Mode): ClientMetadata => ({
    ...clients[0],
    client_id: mode,
    token_endpoint_auth_method: 'client_secret_post',
    backchannel_token_delivery_mode: mode,
    backchannel_client_notification_endpoint: endpoint,
  })
  return [...clients, ...modes.map(ofMode)]
}

function whoIs(mode: Mode): Record<string, string> {
  const who = { client_id: mode, client_secret: clients[0]?.client_secret ?? '' }
  return mode === 'poll' ? who : { ...who, client_notification_token: notificationToken }
}

/** The notification request of Authlete's reference server. */
async function post(endpoint: string, authorization: string, body: string): Promise<number> {
  const { Agent, fetch } = await import('undici')
  const dispatcher = new Agent({ connect: { ca: receiverCertificate.cert } })
  const headers = { authorization, 'content-type': 'application/json' }
  const { status } = await fetch(endpoint, { method: 'POST', headers, body, redirect: 'manual', dispatcher })
  await dispatcher.close()
  return status
}
