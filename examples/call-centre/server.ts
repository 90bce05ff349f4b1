/**
 * The screen of a call centre: the agent asks who is on the line, the caller approves on their own phone.
 * `ISSUER=http://127.0.0.1:3000 STAFF_TOKEN=… npx tsx examples/call-centre/server.ts`, beside `examples/existing-login`
 * with the same `STAFF_TOKEN`. A real one has its agents sign in.
 */
import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import express from 'express'
import * as client from 'openid-client'

interface CallState {
  readonly state: 'waiting' | 'approved' | 'denied' | 'ended'
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly who?: string | undefined
  readonly note?: string
}

interface CentreCall {
  readonly authReqId: string
  latest: CallState
  readonly changes: EventEmitter
}

const port = Number(process.env.PORT ?? 3001)
const issuer = new URL(process.env.ISSUER ?? 'http://127.0.0.1:3000')
const auth = client.ClientSecretBasic(process.env.CLIENT_SECRET ?? 'a-secret-for-the-demo-only-0123456789')
const config = await client.discovery(issuer, process.env.CLIENT_ID ?? 'till', undefined, auth, {
  execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
})
const calls = new Map<string, CentreCall>()
const app = express()
app.use(express.urlencoded({ extended: false }))

app.get('/', (_req, res) => res.sendFile(fileURLToPath(new URL('screen.html', import.meta.url))))

app.post('/calls', async (req, res) => {
  try {
    const started = await client.initiateBackchannelAuthentication(config, {
      scope: 'openid',
      login_hint: String(req.body.email),
      binding_message: String(req.body.word),
      requested_expiry: '120',
    })
    const id = randomUUID()
    const latest: CallState = { state: 'waiting', expiresAt: Date.now() + started.expires_in * 1000 }
    const call: CentreCall = { authReqId: started.auth_req_id, latest, changes: new EventEmitter() }
    calls.set(id, call)
    void follow(call, started)
    res.json({ id, expiresAt: latest.expiresAt })
  } catch (thrown) {
    res.status(400).json({ error: thrown instanceof client.ResponseBodyError ? thrown.error : 'the server is away' })
  }
})

/** Polls at the server's pace until the caller has answered. */
async function follow(call: CentreCall, started: client.BackchannelAuthenticationResponse): Promise<void> {
  try {
    const tokens = await client.pollBackchannelAuthenticationGrant(config, started)
    change(call, { state: 'approved', who: tokens.claims()?.sub })
  } catch (thrown) {
    const denied = thrown instanceof client.ResponseBodyError && thrown.error === 'access_denied'
    change(call, { state: denied ? 'denied' : 'ended' })
  }
}

function change(call: CentreCall, changes: Partial<CallState>): void {
  call.latest = { ...call.latest, ...changes }
  call.changes.emit('change')
}

app.get('/calls/:id/events', (req, res) => {
  const call = calls.get(req.params.id)
  if (call === undefined) return void res.sendStatus(404)
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  const tell = () => void res.write(`data: ${JSON.stringify(call.latest)}\n\n`)
  tell()
  call.changes.on('change', tell)
  res.on('close', () => call.changes.off('change', tell))
})

app.post('/calls/:id/:action', async (req, res) => {
  const call = calls.get(req.params.id)
  const { action } = req.params
  if (call === undefined || !['resend', 'cancel'].includes(action)) return void res.sendStatus(404)
  const { status } = await fetch(new URL(`/staff/requests/${call.authReqId}/${action}`, issuer), {
    method: 'POST',
    headers: { authorization: `Bearer ${process.env.STAFF_TOKEN}` },
  })
  if (action === 'resend') change(call, { note: status === 204 ? 'sent again' : 'not sent: it was sent moments ago' })
  res.sendStatus(status === 204 ? 204 : 409)
})

app.listen(port, '127.0.0.1', () => console.log(`call centre at http://127.0.0.1:${port}`))
