import { randomUUID } from 'node:crypto'
import { found } from '../checks/catalogue.ts'
import { metadata } from '../checks/metadata.ts'
import { notification } from '../checks/notification.ts'
import { expected, isOneOf, notYet, pending, refused, tokenRefused } from '../checks/refused.ts'
import { refusedAsStolen, refusedInQuery, resource } from '../checks/resource.ts'
import { tls } from '../checks/tls.ts'
import { ask, collectAnswer, decide, issuedBy, pinged, pollTwice, standardFlow, start, tokenResponse } from '../flow.ts'
import { membersOf } from '../http.ts'
import { askToken, backchannelCredentials } from '../requests.ts'
import { callResource } from '../resource.ts'
import type { Module, Trial } from '../trial.ts'

/** Emoji with skin tones, CJK and Latin: 456 code points. */
const longMessage = [...'👍🏿🤝🏽認証コード確認 Überweisung n° 1234 €ñ '.repeat(14)].slice(0, 456).join('')

/** What a well-behaved client may expect. */
export const wellBehaved: readonly Module[] = [
  {
    id: 'M01',
    name: 'discovery-end-point-verification',
    async run({ check, server, config, auth, mode }) {
      const { discoveryUrl, allow_unexpected_metadata_fields: unexpected } = config.server
      await check(metadata(server.document, { discoveryUrl, auth, mode, unexpected }))
    },
  },
  { id: 'M02', name: '', run: twoClients },
  {
    id: 'M03',
    name: 'user-rejects-authentication',
    async run(trial) {
      const issued = await start(trial, trial.client1)
      const delay = await pollTwice(trial, issued)
      await decide(trial, issued, 'deny')
      const answer = await collectAnswer(trial, issued, delay)
      await trial.check(tokenRefused(answer, [expected('access_denied', 400)]))
    },
  },
  { id: 'M04', name: 'multiple-call-to-token-endpoint', run: rapidFire },
  { id: 'M05', name: 'auth-req-id-expired', run: expiry },
  {
    id: 'M06',
    name: 'ensure-authorization-request-with-binding-message-succeeds',
    run: async (trial) => void (await standardFlow(trial, trial.client1)),
  },
  {
    id: 'M07',
    name: 'ensure-other-scope-order-succeeds',
    async run(trial) {
      const scope = trial.client1.scope.split(' ').reverse().join(' ')
      await standardFlow(trial, trial.client1, { parameters: { scope } })
    },
  },
  {
    id: 'M08',
    name: 'ensure-requested-expiry-as-string-succeeds',
    run: async (trial) => void (await standardFlow(trial, trial.client1, { parameters: { requested_expiry: '30' } })),
  },
  {
    id: 'M09',
    name: 'ensure-authorization-request-with-potentially-bad-binding-message',
    run: longBindingMessage,
  },
]

async function twoClients(trial: Trial): Promise<void> {
  const { check, client1, client2, config, server } = trial
  const { resourceUrl } = config.resource

  const first = await standardFlow(trial, client1, {
    ...(trial.auth === 'mtls'
      ? {}
      : { credentials: await backchannelCredentials(trial, client1, { aud: server.issuer }) }),
  })
  await check(tls(resourceUrl, { otherSuites: true, dhe: true }))
  const interactionId = randomUUID().replace(/[a-f]/, (letter) => letter.toUpperCase())
  const sent = { 'x-fapi-auth-date': new Date().toUTCString(), 'x-fapi-interaction-id': interactionId }
  const good = async (headers: Record<string, string>) => {
    const answer = await callResource(trial, client1, first.accessToken, { ...sent, ...headers })
    await check(resource(answer, { interactionId, now: Date.now() }))
  }
  await good({})
  const query = `${resourceUrl}${resourceUrl.includes('?') ? '&' : '?'}access_token=${first.accessToken}`
  await check(refusedInQuery(await client1.http.send(query, { headers: sent })))
  await good({ 'x-fapi-customer-ip-address': '2001:db8::1', accept: 'application/json;charset=UTF-8' })
  await good({ accept: 'application/json, application/*+json, */*' })

  const aud = server.endpoint('token_endpoint') ?? ''
  const second = await standardFlow(trial, client2, {
    parameters: { requested_expiry: 300, ...acrOf(trial) },
    tokenLength: 1024,
    ...(trial.auth === 'mtls' ? {} : { credentials: await backchannelCredentials(trial, client2, { aud }) }),
  })
  await check(resource(await callResource(trial, client2, second.accessToken), { now: Date.now() }))
  await check(refusedAsStolen(await callResource(trial, client1, second.accessToken)))
  const again = await askToken(trial, client2, second.authReqId)
  await check(tokenRefused(again, [expected('invalid_grant', 400)]))
}

function acrOf({ server, client2 }: Trial): Record<string, string> {
  const { acr_values_supported: supported } = membersOf(server.document)
  return Array.isArray(supported) && client2.acrValue !== undefined ? { acr_values: client2.acrValue } : {}
}

async function rapidFire(trial: Trial): Promise<void> {
  const issued = await start(trial, trial.client1)
  await pollTwice(trial, issued)
  for (let calls = 0; calls < 20; calls++) {
    const answer = await askToken(trial, trial.client1, issued.authReqId)
    const ended = expected('invalid_request', 400)
    await trial.check(tokenRefused(answer, [...notYet, ended]))
    if (isOneOf(answer, [ended])) break
  }
  if (trial.mode === 'poll') return
  await decide(trial, issued, 'allow')
  await pinged(trial, issued)
}

async function expiry(trial: Trial): Promise<void> {
  const issued = await start(trial, trial.client1, { parameters: { requested_expiry: 10 } })
  const { guest, authReqId } = issued
  await trial.check(pending(await askToken(trial, trial.client1, authReqId)))
  await trial.sleep(Math.max(5, issued.interval))
  await trial.check(pending(await askToken(trial, trial.client1, authReqId)))
  await trial.sleep(issued.expiresIn + (trial.mode === 'ping' ? 5 : 0))
  for (const call of guest?.calls ?? []) {
    await trial.check(notification(call, { token: guest?.token ?? '', authReqId }))
  }
  const answer = await askToken(trial, trial.client1, authReqId)
  await trial.check(tokenRefused(answer, [expected('expired_token', 400)]))
}

async function longBindingMessage(trial: Trial): Promise<void> {
  const asking = { parameters: { binding_message: longMessage } }
  const { answer, guest } = await ask(trial, trial.client1, asking)
  if (answer.status !== 200) return trial.check(refused(answer, [expected('invalid_binding_message', 400)]))
  const issued = issuedBy(answer, trial.client1, guest, asking)
  const delay = await pollTwice(trial, issued)
  await decide(trial, issued, 'allow')
  await trial.check(tokenResponse(trial, issued, await collectAnswer(trial, issued, delay)))
  const automated = trial.config.automated_ciba_approval_url !== undefined
  await trial.check([
    automated
      ? found('A7 screenshot', 'the message was accepted, and nobody can photograph the device')
      : found('A7 look at the device', 'was the whole message shown?'),
  ])
}
