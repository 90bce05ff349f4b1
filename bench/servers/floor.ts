/** Bare Express 5 with nothing but what the request cannot do without: parse, compare, store, answer, sign once. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import express, { type Request } from 'express'
import { exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { clientJwk, secret, serve } from './describe.ts'

const app = express().disable('x-powered-by')
const requests = new Map<string, { approved: boolean }>()
const seen = new Set<string>()
const { privateKey, publicKey } = await generateKeyPair('ES256')
const assertionKey = clientJwk.kty === undefined ? undefined : await importJWK(clientJwk as JWK, 'ES256')
const digest = (text: string) => createHash('sha256').update(text).digest()
const expected = digest(secret)
let issuer = ''

async function authenticated(req: Request): Promise<boolean> {
  const { authorization } = req.headers
  if (authorization !== undefined) {
    const [, given = ''] = Buffer.from(authorization.slice('Basic '.length), 'base64').toString().split(':')
    return timingSafeEqual(digest(given), expected)
  }
  if (assertionKey === undefined) return false
  const { payload } = await jwtVerify(req.body.client_assertion, assertionKey, { audience: issuer })
  if (payload.jti === undefined || seen.has(payload.jti)) return false
  seen.add(payload.jti)
  return true
}

await serve(app, async (url) => {
  issuer = url
  app.use(express.urlencoded({ extended: false }))
  app.post('/backchannel', async (req, res) => {
    if (!(await authenticated(req))) return void res.status(401).json({ error: 'invalid_client' })
    const id = randomBytes(32).toString('base64url')
    requests.set(id, { approved: false })
    res.json({ auth_req_id: id, expires_in: 600, interval: 5 })
  })
  app.post('/token', async (req, res) => {
    if (!(await authenticated(req))) return void res.status(401).json({ error: 'invalid_client' })
    const request = requests.get(req.body.auth_req_id)
    if (request === undefined) return void res.status(400).json({ error: 'invalid_grant' })
    if (!request.approved) return void res.status(400).json({ error: 'authorization_pending' })
    requests.delete(req.body.auth_req_id)
    const id_token = await new SignJWT({ sub: 'alice' })
      .setProtectedHeader({ alg: 'ES256', kid: '1' })
      .setIssuer(url)
      .setAudience('basic')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
    res.json({ access_token: randomBytes(32).toString('base64url'), token_type: 'Bearer', expires_in: 3600, id_token })
  })
  app.post('/approve', (req, res) => {
    const request = requests.get(String(req.query.auth_req_id))
    if (request !== undefined) request.approved = true
    res.status(request === undefined ? 404 : 204).end()
  })
  const jwk = await exportJWK(publicKey)
  app.get('/jwks', (_req, res) => void res.json({ keys: [{ ...jwk, kid: '1' }] }))
  return {
    name: 'floor',
    version: '5',
    backchannel_authentication_endpoint: `${url}/backchannel`,
    token_endpoint: `${url}/token`,
    approve_url: `${url}/approve?auth_req_id={auth_req_id}&action={action}`,
  }
})
