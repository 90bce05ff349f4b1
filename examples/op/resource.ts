import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { JwkSet } from 'express-ciba'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'

/** An API of the host: checks the access token with jose, and says whose it is. */
export function resourceRoute({ issuer, jwks }: { issuer: string; jwks: JwkSet }): RequestHandler {
  const keys = createLocalJWKSet(jwks as unknown as JSONWebKeySet)
  return async (req, res) => {
    res.set('x-fapi-interaction-id', req.get('x-fapi-interaction-id') ?? randomUUID())
    const token = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '')?.[1]
    if (token === undefined) {
      res.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'invalid_token' })
      return
    }
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, typ: 'at+jwt' })
      res.json({ sub: payload.sub, scope: payload.scope })
    } catch {
      res.status(401).set('WWW-Authenticate', 'Bearer error="invalid_token"').json({ error: 'invalid_token' })
    }
  }
}
