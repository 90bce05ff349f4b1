import * as api from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'
import { type BackchannelEvent, type ClientMetadata, memoryStore, type Notice } from 'express-ciba'
import { openTelemetry } from 'express-ciba/adapters/opentelemetry'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import pino from 'pino'
import { deviceOf } from '../helpers/device.ts'
import { makeDpopKey } from '../helpers/dpop.ts'
import { notificationToken, startNotified } from '../helpers/notified.ts'
import { until } from '../helpers/until.ts'

const bindingMessage = 'Invoice 4711 from Corner Bank'
const customMessage = 'Kindly confirm the transfer'
const userCode = 'swordfish-user-code'
const till = { authorization: `Basic ${Buffer.from('till:till-secret-0123456789-0123456789').toString('base64')}` }

/** Everything that is written or told while `run` runs, in one text. */
async function overheard(run: (ears: Ears) => Promise<void>): Promise<string> {
  const heard: string[] = []
  const spans = new InMemorySpanExporter()
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const telemetry = openTelemetry({
    trace: { getTracer: (name) => tracers.getTracer(name) },
    metrics: api.metrics,
  } as api_)
  const logger = pino({ level: 'trace' }, { write: (line: string) => void heard.push(line) })
  const onEvent = ({ ...event }: BackchannelEvent & { cause?: unknown }) => {
    delete event.cause // what was thrown underneath is for the host alone
    heard.push(JSON.stringify(event))
  }
  const { stdout, stderr } = process
  const writers = [stdout, stderr].map((stream) => [stream, stream.write] as const)
  for (const [stream] of writers) {
    stream.write = ((text: string | Uint8Array) => {
      heard.push(String(text))
      return true
    }) as typeof stream.write
  }
  try {
    await run({ logger, onEvent, telemetry, has: (text) => heard.some((each) => each.includes(text)) })
  } finally {
    for (const [stream, write] of writers) stream.write = write
  }
  heard.push(
    JSON.stringify(
      spans.getFinishedSpans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
    ),
  )
  return heard.join('\n')
}

type api_ = Parameters<typeof openTelemetry>[0]
interface Ears {
  readonly logger: pino.Logger
  readonly onEvent: (event: BackchannelEvent) => void
  readonly telemetry: ReturnType<typeof openTelemetry>
  has(text: string): boolean
}

describe('threat 51: secrets in logs, events, spans and on the console', function () {
  this.timeout(20_000)

  it('appear in none of them, in any flow, whatever fails', async () => {
    const secrets = new Map<string, string>([
      ['the client secret', 'till-secret-0123456789-0123456789'],
      ['the basic header', till.authorization.slice(6)],
      ['the notification token', notificationToken],
      ['the binding message', bindingMessage],
      ['the custom message', customMessage],
      ['the user code', userCode],
      ['the phone number', '+15550100'],
      ['the address', 'alice@example.com'],
      ['a wrong secret', 'a-wrong-secret-of-the-client'],
    ])
    const keep = (what: string, secret: unknown) => {
      expect(secret, what).to.be.a('string').with.length.greaterThan(8)
      secrets.set(what, String(secret))
    }
    /** Public: the first 16 characters of every handle. */
    const keepHandle = (what: string, handle: string) => keep(what, handle.slice(16))
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kty: 'EC' }] }

    const written = await overheard(async (ears) => {
      for (const mode of ['ping', 'push'] as const) {
        const store = memoryStore()
        let down = false
        let unreachable = false
        const notices: Notice[] = []
        const notified = await startNotified(mode, {
          logger: ears.logger,
          onEvent: ears.onEvent,
          telemetry: ears.telemetry,
          requests: { userCodes: true },
          users: {
            find: () => ({ sub: 'alice', email: 'alice@example.com', phone_number: '+15550100' }),
            checkUserCode: ({ user: _user, userCode: code }) => code === userCode,
          },
          store: {
            ...store,
            find: (id) =>
              down
                ? Promise.reject(new Error(`cannot find ${id} with till-secret-0123456789-0123456789`))
                : store.find(id),
          },
          channels: [
            {
              name: 'sms',
              address: ({ phone_number }) => phone_number,
              send: (notice) => {
                notices.push(notice)
                if (unreachable) throw new Error(`${notice.to} did not get ${notice.link}`)
              },
            },
          ],
          notices: { retrySeconds: [0.01] },
        })
        const { host, client, receiver } = notified
        Object.assign(notified.till, {
          backchannel_user_code_parameter: true,
          grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
          jwks,
          backchannel_authentication_request_signing_alg: undefined,
        } satisfies Partial<ClientMetadata>)
        const context = { custom_message: customMessage, login_hint_type: 'email', channel: 'sms' }
        const form = {
          scope: 'openid profile offline_access',
          login_hint: 'alice@example.com',
          binding_message: bindingMessage,
          client_notification_token: notificationToken,
          user_code: userCode,
          request_context: JSON.stringify(context),
        }

        // the whole way, with a client that is away at first
        receiver.react(503, 204)
        const key = await makeDpopKey()
        const proof = await key.proof(`${host.origin}/oidc/backchannel`)
        keep(`the proof of the ${mode}`, proof.dpop)
        const started = await client.start(form, { ...till, ...proof })
        expect(started.status, JSON.stringify(started.body)).to.equal(200)
        const { auth_req_id } = started.body
        keepHandle(`the auth_req_id of the ${mode}`, auth_req_id)
        await until(() => notices.length === 1)
        const { link } = notices[0] as Notice
        keepHandle(`the link of the ${mode}`, new URL(link).searchParams.get('r') ?? '')
        const device = deviceOf('alice')
        const page = await device.open(link)
        keep(`the csrf token of the ${mode}`, /name="csrf" value="([^"]+)"/.exec(page.html)?.[1])
        for (const [name, value] of device.cookies) keep(`the cookie ${name}`, value)
        await device.press(page, 'approve')
        await receiver.received(2)
        const tokens =
          mode === 'push'
            ? receiver.calls.at(-1)?.body
            : (await client.poll(auth_req_id, { ...till, ...(await key.proof(`${host.origin}/oidc/token`)) })).body
        const { access_token, id_token, refresh_token } = typeof tokens === 'string' ? JSON.parse(tokens) : tokens
        keep(`the access token of the ${mode}`, access_token)
        keep(`the ID token of the ${mode}`, id_token)
        keepHandle(`the refresh token of the ${mode}`, refresh_token)
        await client.post('/oidc/introspect', { token: access_token })
        const refreshed = await client.post(
          '/oidc/token',
          { grant_type: 'refresh_token', refresh_token },
          { ...till, ...(await key.proof(`${host.origin}/oidc/token`)) },
        )
        expect(refreshed.status).to.equal(200)
        keepHandle(`the second refresh token of the ${mode}`, refreshed.body.refresh_token)
        await client.post('/oidc/revoke', { token: refreshed.body.refresh_token })

        // refusals
        await client.start({ ...form, user_code: `${userCode}-wrong` })
        await client.start({ ...form, binding_message: `${bindingMessage}\u0007` })
        await client.start({ ...form, scope: `openid ${bindingMessage}` })
        await client.start(form, {
          authorization: `Basic ${Buffer.from('till:a-wrong-secret-of-the-client').toString('base64')}`,
        })
        await client.poll(auth_req_id)
        await client.poll(`${auth_req_id.slice(0, -1)}_`)
        await client.complete({ auth_req_id, approved: false }, 'token-of-bob')

        // signed
        const signed = await new SignJWT({ ...form, request_context: context })
          .setProtectedHeader({ alg: 'ES256' })
          .setIssuer('till')
          .setAudience(host.origin)
          .setIssuedAt()
          .setNotBefore('0 s')
          .setExpirationTime('5 m')
          .setJti(crypto.randomUUID())
          .sign(privateKey)
        keep(`the signed request of the ${mode}`, signed)
        for (let times = 0; times < 2; times++) await client.start({ request: signed })

        // nobody can be reached, and the store is away
        unreachable = true
        const lost = await client.start(form)
        keepHandle(`the lost auth_req_id of the ${mode}`, lost.body.auth_req_id)
        await until(() => ears.has(`"request.failed","request":"${lost.body.auth_req_id.slice(0, 16)}"`))
        down = true
        await device.go(link)
        await client.complete({ auth_req_id: lost.body.auth_req_id, approved: true })
        down = false
        await notified.close()
      }
    })

    expect(written).to.include('request.accepted').and.to.include('ciba token').and.to.include('delivery.failed')
    const found = [...secrets].filter(([, secret]) => written.includes(secret)).map(([what]) => what)
    expect(found).to.deep.equal([])
  })
})
