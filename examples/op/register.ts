import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { json, Router } from 'express'
import type { Backchannel, ClientMetadata } from 'express-ciba'

export interface RegistrationOptions extends Pick<Backchannel, 'checkRegistration'> {
  /** Where clients live; registered ones come and go. */
  readonly clients: Map<string, ClientMetadata>
  /** Absolute URL of the registration endpoint. */
  readonly url: string
}

/** Open registration of clients (RFC 7591) and their removal (RFC 7592 2.3). For tests: a real one asks who is there. */
export function registration({ clients, url, checkRegistration }: RegistrationOptions): Router {
  const tokens = new Map<string, Buffer>()
  const router = Router()

  router.post('/', json(), async (req, res) => {
    const client_id = randomUUID()
    const metadata = { ...req.body, client_id, ...secretFor(req.body) }
    try {
      await checkRegistration(metadata)
    } catch (problem) {
      const error_description = (problem as Error).message.replaceAll('"', "'")
      res.status(400).json({ error: 'invalid_client_metadata', error_description })
      return
    }
    const token = secret()
    clients.set(client_id, metadata)
    tokens.set(client_id, hash(token))
    res
      .status(201)
      .set('Cache-Control', 'no-store')
      .json({
        ...metadata,
        ...(metadata.client_secret === undefined ? {} : { client_secret_expires_at: 0 }),
        client_id_issued_at: Math.floor(Date.now() / 1000),
        registration_client_uri: `${url}/${client_id}`,
        registration_access_token: token,
      })
  })

  router.delete('/:id', (req, res) => {
    const { id } = req.params
    const token = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '')?.[1] ?? ''
    if (!timingSafeEqual(tokens.get(id) ?? hash(secret()), hash(token))) {
      res.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' })
      return
    }
    clients.delete(id)
    tokens.delete(id)
    res.status(204).end()
  })

  return router
}

/** A secret for clients whose method needs one. */
function secretFor({ token_endpoint_auth_method: method = 'client_secret_basic' }: Partial<ClientMetadata> = {}) {
  return method.startsWith('client_secret') ? { client_secret: secret() } : {}
}

const secret = () => randomBytes(32).toString('base64url')
const hash = (text: string) => createHash('sha256').update(text).digest()
