import { randomBytes, randomUUID } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'
import { createGuests, type Guest } from '../guests.ts'
import type { Answer, Call, Http } from '../http.ts'
import { epochSeconds } from '../jws.ts'
import { answer } from './cases.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const key: JWK = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }

const origin = 'https://op.example'
export const resourceUrl = (tls: string) => `${tls}resource`

interface Kept {
  readonly clientId: string
  readonly notificationToken: string | undefined
  state: 'pending' | 'allow' | 'deny' | 'redeemed'
}

/** What one answer may do to the good one. */
export interface Faults {
  readonly backchannel?: (good: Answer) => Answer
  readonly token?: (good: Answer) => Answer
  readonly approve?: (good: Answer) => Answer
  readonly resource?: (good: Answer, call: Call) => Answer
  /** How often the client is pinged, and where. */
  readonly ping?: (guest: Guest, good: Parameters<Guest['arrive']>[0]) => void
  readonly metadata?: object
  /** Answers after a number of polls without anybody's approval. */
  readonly approvesItself?: true
  readonly refreshTokens?: true
}

/**
 * A small provider without a network, that believes everything it is told: for the parts of modules that come after a
 * request was accepted. `tls` is the address of a real server for the TLS probes.
 */
export function createFakeOp(faults: Faults, tls: string) {
  const guests = createGuests()
  const requests = new Map<string, Kept>()
  const tokens = new Map<string, string>()
  const same = (good: Answer) => good
  let polls = 0

  function backchannel(form: Form): Answer {
    const { client_notification_token, requested_expiry = 600 } = claimsIn(form.request)
    const authReqId = randomBytes(32).toString('base64url')
    const notificationToken = client_notification_token as string | undefined
    requests.set(authReqId, { clientId: clientOf(form), notificationToken, state: 'pending' })
    const issued = answer(200, { auth_req_id: authReqId, expires_in: Number(requested_expiry), interval: 5 })
    return (faults.backchannel ?? same)(issued)
  }

  async function token(form: Form): Promise<Answer> {
    const request = requests.get(form.auth_req_id ?? '')
    polls += 1
    if (form.grant_type === 'refresh_token') return (faults.token ?? same)(await refresh(form))
    if (request?.clientId !== clientOf(form)) return (faults.token ?? same)(answer(400, { error: 'invalid_grant' }))
    if (faults.approvesItself && polls > 2 && request.state === 'pending') request.state = 'allow'
    const good = await stateOf(request)
    return (faults.token ?? same)(good)
  }

  async function stateOf(request: Kept): Promise<Answer> {
    if (request.state === 'pending') return answer(400, { error: 'authorization_pending' })
    if (request.state === 'deny') return answer(400, { error: 'access_denied' })
    if (request.state === 'redeemed') return answer(400, { error: 'invalid_grant' })
    request.state = 'redeemed'
    return mint(request.clientId)
  }

  async function refresh(form: Form): Promise<Answer> {
    const owner = tokens.get(form.refresh_token ?? '')
    return owner === clientOf(form) ? mint(owner) : answer(400, { error: 'invalid_grant' })
  }

  async function mint(clientId: string): Promise<Answer> {
    const now = epochSeconds()
    const claims = { iss: origin, aud: clientId, sub: 'alice', iat: now + tokens.size, exp: now + 60 }
    const id_token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey)
    const [access_token = '', refresh_token = ''] = [1, 2].map(() => {
      const secret = randomBytes(32).toString('base64url')
      tokens.set(secret, clientId)
      return secret
    })
    const more = faults.refreshTokens ? { refresh_token } : {}
    return answer(200, { access_token, token_type: 'Bearer', expires_in: 60, id_token, ...more })
  }

  function approve(url: URL): Answer {
    const authReqId = url.searchParams.get('id') ?? ''
    const request = requests.get(authReqId)
    const good = (faults.approve ?? same)(answer(204, undefined))
    if (request === undefined || good.status !== 204) return good
    request.state = url.searchParams.get('do') as 'allow'
    const ping = {
      contentType: 'application/json',
      authorization: `Bearer ${request.notificationToken}`,
      body: JSON.stringify({ auth_req_id: authReqId }),
      protocol: 'TLSv1.3',
      suite: 'TLS_AES_128_GCM_SHA256',
    }
    const guest = guests.hostOf(ping)
    if (guest !== undefined) (faults.ping ?? ((each) => each.arrive(ping)))(guest, ping)
    return good
  }

  function resource(url: URL, call: Call, owner: string): Answer {
    const bearer = call.headers?.authorization?.slice(7) ?? ''
    const id = call.headers?.['x-fapi-interaction-id'] ?? randomUUID()
    const good = answer(
      tokens.get(bearer) === owner ? 200 : 401,
      {},
      {
        date: new Date().toUTCString(),
        'x-fapi-interaction-id': id,
      },
    )
    return (faults.resource ?? same)(url.searchParams.has('access_token') ? { ...good, status: 401 } : good, call)
  }

  const document = {
    issuer: origin,
    token_endpoint: `${tls}token`,
    backchannel_authentication_endpoint: `${origin}/bc`,
    jwks_uri: `${origin}/jwks`,
    authorization_endpoint: `${tls}authorize`,
    ...faults.metadata,
  }

  return {
    guests,
    discoveryUrl: `${origin}/.well-known/openid-configuration`,
    approvalUrl: `${origin}/approve?id={auth_req_id}&do={action}`,
    /** What a client sees, whose certificate says this name. */
    httpOf: (owner: string): Http => ({
      async send(address, call = {}) {
        const url = new URL(address)
        if (url.pathname === '/.well-known/openid-configuration') return answer(200, document)
        if (url.pathname === '/jwks') return answer(200, { keys: [key] })
        if (url.pathname === '/bc') return backchannel(call.form ?? {})
        if (url.pathname === '/token') return token(call.form ?? {})
        if (url.pathname === '/approve') return approve(url)
        return resource(url, call, owner)
      },
      close: async () => {},
    }),
  }
}

type Form = Readonly<Record<string, string>>

function clientOf(form: Form): string {
  return form.client_id ?? String(claimsIn(form.client_assertion).sub)
}

function claimsIn(jws = ''): Readonly<Record<string, unknown>> {
  const [, payload = ''] = jws.split('.')
  return payload === '' ? {} : JSON.parse(Buffer.from(payload, 'base64url').toString())
}
