import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Router } from 'express'
import type { ClientMetadata } from 'express-ciba'
import { toString as qrCode } from 'qrcode'

interface DemoOptions {
  readonly issuer: string
  readonly client: ClientMetadata
  readonly loginHint: string
}

/** The client: a bank till that asks the login server over HTTP, and shows what the wire said at each step. */
export function demoClient({ issuer, client, loginHint }: DemoOptions): Router {
  const authorization = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`
  const router = Router()

  router.get('/', (_req, res) => res.sendFile(fileURLToPath(new URL('page.html', import.meta.url))))

  // One request per event stream: asks, shows the link, polls until there are tokens or an error.
  router.get('/demo', async (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    const tell = (event: string, data: unknown) => res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

    async function call(path: string, form: Record<string, string>) {
      const response = await fetch(issuer + path, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams(form),
      })
      const body = (await response.json()) as Record<string, unknown>
      tell('wire', { path, form, status: response.status, body })
      return { status: response.status, body }
    }

    const channel = req.query.channel === 'sms' ? 'sms' : 'link'
    const { status, body } = await call('/oidc/backchannel', {
      scope: 'openid email',
      login_hint: loginHint,
      binding_message: `Till 4, ${String(Math.floor(Math.random() * 900) + 100)}`,
      request_context: JSON.stringify({ channel, login_hint_type: 'email' }),
    })
    if (typeof body.link === 'string') tell('link', { link: body.link, qr: await qrCode(body.link, { type: 'svg' }) })

    let interval = Number(body.interval)
    for (let open = status === 200; open && !res.destroyed; ) {
      await sleep(interval * 1000)
      const answer = await call('/oidc/token', {
        grant_type: 'urn:openid:params:grant-type:ciba',
        auth_req_id: String(body.auth_req_id),
      })
      if (answer.body.error === 'slow_down') interval += 5
      open = answer.body.error === 'authorization_pending' || answer.body.error === 'slow_down'
    }
    tell('end', {})
    res.end()
  })

  return router
}
