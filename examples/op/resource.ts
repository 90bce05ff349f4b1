import { createHash, randomUUID } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { Request, RequestHandler } from 'express'
import type { JwkSet } from 'express-ciba'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  EmbeddedJWK,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose'

export interface ResourceOptions {
  readonly issuer: string
  readonly jwks: JwkSet
  /** Absolute URLs of this resource, for DPoP proofs. */
  readonly urls: readonly string[]
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** An API of the host: checks the access token with jose, and the key that it is bound to; says whose it is. */
export function resourceRoute({ issuer, jwks, urls }: ResourceOptions): RequestHandler {
  const keys = createLocalJWKSet(jwks as unknown as JSONWebKeySet)
  return async (req, res) => {
    const id = req.get('x-fapi-interaction-id') ?? ''
    res.set('x-fapi-interaction-id', uuid.test(id) ? id : randomUUID())
    const [, scheme = '', token = ''] = /^(Bearer|DPoP) +(\S+)$/i.exec(req.get('authorization') ?? '') ?? []
    if (token === '') {
      res.status(401).set('WWW-Authenticate', 'Bearer, DPoP').json({ error: 'invalid_token' })
      return
    }
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, typ: 'at+jwt' })
      await checkBinding(req, scheme.toLowerCase(), token, payload)
      res.json({ sub: payload.sub, scope: payload.scope })
    } catch {
      res.status(401).set('WWW-Authenticate', `${scheme} error="invalid_token"`).json({ error: 'invalid_token' })
    }
  }

  /** RFC 8705 3, RFC 9449 7. */
  async function checkBinding(req: Request, scheme: string, token: string, { cnf }: JWTPayload): Promise<void> {
    const { 'x5t#S256': certificate, jkt } = (cnf ?? {}) as Readonly<Record<string, string | undefined>>
    if (certificate !== undefined && certificate !== thumbprintOf(req)) throw new Error('another certificate')
    if ((jkt === undefined) !== (scheme === 'bearer')) throw new Error('the wrong scheme')
    if (jkt === undefined) return
    const { payload, protectedHeader } = await jwtVerify(req.get('dpop') ?? '', EmbeddedJWK, {
      typ: 'dpop+jwt',
      maxTokenAge: 60,
    })
    const fits = payload.htm === req.method && urls.includes(String(payload.htu)) && payload.ath === sha256(token)
    if (!fits || (await calculateJwkThumbprint(protectedHeader.jwk ?? {})) !== jkt) throw new Error('another proof')
  }
}

function thumbprintOf({ socket }: Request): string | undefined {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate === undefined ? undefined : sha256(certificate.raw)
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('base64url')
}
