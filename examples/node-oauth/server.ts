/** An @node-oauth/oauth2-server with its own client credentials grant, and CIBA beside it. `npx tsx examples/node-oauth/server.ts` */
import OAuth2Server from '@node-oauth/oauth2-server'
import express from 'express'
import { cibaGrantType, createBackchannelRouter } from 'express-ciba'
import { cibaGrant } from 'express-ciba/adapters/node-oauth'

const port = Number(process.env.PORT ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const client = {
  client_id: 'till',
  client_secret: 'a-secret-for-the-demo-only-0123456789',
  client_name: 'Corner Bank till',
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['client_credentials', cibaGrantType],
  backchannel_token_delivery_mode: 'poll',
} as const

const app = express()
app.use(express.urlencoded({ extended: true }))

const router = createBackchannelRouter({
  issuer,
  clients: { find: ({ clientId }) => (clientId === client.client_id ? client : undefined) },
  users: { find: ({ hint: { value } }) => (value === 'alice' ? { sub: 'alice' } : undefined) },
  session: {
    current: () => undefined, // who is signed in, as your login knows it
    loginUrl: ({ returnTo }) => `/login?next=${encodeURIComponent(returnTo)}`,
    verifyToken: ({ token }) => (token === 'demo-token-of-alice' ? { sub: 'alice' } : undefined),
  },
  paths: { token: '/oauth/token-of-its-own' }, // the token route stays with oauth2-server
})
app.use(router)

const tokens = new Map<string, OAuth2Server.Token>()
const model: OAuth2Server.ClientCredentialsModel = {
  async getClient(clientId, secret) {
    const known = clientId === client.client_id && (secret === null || secret === client.client_secret)
    return known && { id: client.client_id, grants: [...client.grant_types] }
  },
  getUserFromClient: async () => ({ id: 'the till itself' }),
  async saveToken(token, owner, user) {
    const saved = { ...token, client: owner, user }
    tokens.set(token.accessToken, saved)
    return saved
  },
  getAccessToken: async (token) => tokens.get(token),
}
const server = new OAuth2Server({
  model,
  allowExtendedTokenAttributes: true, // for the ID token
  requireClientAuthentication: { [cibaGrantType]: false }, // express-ciba authenticates, by every method
  extendedGrantTypes: { [cibaGrantType]: cibaGrant(OAuth2Server, router.backchannel) },
})

app.post('/oauth/token', async (req, res) => {
  const response = new OAuth2Server.Response(res)
  await server.token(new OAuth2Server.Request(req), response).catch(() => {})
  res
    .status(response.status ?? 500)
    .set(response.headers)
    .json(response.body)
})

app.listen(port, '127.0.0.1', () => console.log(`oauth2-server with CIBA at ${issuer}`))
