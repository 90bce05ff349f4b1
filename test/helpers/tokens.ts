import type { ClientMetadata, Jwk, SessionUser } from 'express-ciba'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { type Answer, clientOf, type Form } from './client.ts'
import { clients, type Host, type HostOptions, startHost } from './host.ts'
import { type KeyKind, keyPair } from './keys.ts'

/** A private key as JWK. */
export function privateJwk(kind: KeyKind, members: object = {}): Jwk {
  return { ...(keyPair(kind).privateKey.export({ format: 'jwk' }) as Jwk), ...members }
}

export function publicJwk({ kty, crv, x, y, n, e, ...rest }: Jwk): Jwk {
  const { alg, use, kid } = rest
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, alg, use, kid }))
}

export const thumbprintOf = (jwk: Jwk) => calculateJwkThumbprint(publicJwk(jwk) as JWK)

/** A host whose `till` has further metadata, and requests of it that end in tokens. */
export interface Issuing {
  readonly host: Host
  readonly client: ReturnType<typeof clientOf>
  /** Asks, approves by a login with these members, and collects. */
  tokens(form?: Record<string, string>, login?: Partial<SessionUser>): Promise<Answer['body']>
  /** Asks and approves. */
  approved(form?: Record<string, string>, login?: Partial<SessionUser>): Promise<string>
}

export async function startIssuing(till: Partial<ClientMetadata> = {}, options: HostOptions = {}): Promise<Issuing> {
  const metadata = { ...clients[0], client_id: 'till', ...till }
  const host = await startHost({
    clients: {
      find: ({ clientId: id }) => (id === 'till' ? metadata : clients.find((client) => client.client_id === id)),
    },
    ...options,
  })
  const client = clientOf(host)
  const approved = async (form: Record<string, string> = {}, login: Partial<SessionUser> = {}) => {
    const asked: Form = { scope: 'openid', login_hint: 'alice', ...form }
    const { status, body } = await client.start(asked)
    if (status !== 200) throw new Error(`refused: ${JSON.stringify(body)}`)
    const authReqId: string = body.auth_req_id
    await host.router.backchannel.approve({ request: authReqId, by: { sub: 'alice', ...login } })
    return authReqId
  }
  return {
    host,
    client,
    approved,
    async tokens(form, login) {
      const { status, body } = await client.poll(await approved(form, login))
      if (status !== 200) throw new Error(`refused: ${JSON.stringify(body)}`)
      return body
    },
  }
}
