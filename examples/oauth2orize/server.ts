/** An oauth2orize server with its own password grant, and CIBA beside it. `npx tsx examples/oauth2orize/server.ts` */
import { randomUUID } from 'node:crypto'
import express from 'express'
import { cibaGrantType, createBackchannelRouter } from 'express-ciba'
import { cibaExchange } from 'express-ciba/adapters/oauth2orize'
import oauth2orize from 'oauth2orize'

const port = Number(process.env.PORT ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const client = {
  client_id: 'till',
  client_secret: 'a-secret-for-the-demo-only-0123456789',
  client_name: 'Corner Bank till',
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['password', cibaGrantType],
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
  paths: { token: '/oauth/token-of-its-own' }, // the token route stays with oauth2orize
})
app.use(router)

const server = oauth2orize.createServer()
server.exchange(
  oauth2orize.exchange.password((_client, username, password, _scope, done) => {
    done(null, username === 'alice' && password === 'wonderland' ? randomUUID() : false)
  }),
)
server.exchange(cibaGrantType, cibaExchange(router.backchannel))
app.post('/oauth/token', server.token(), server.errorHandler())

app.listen(port, '127.0.0.1', () => console.log(`oauth2orize with CIBA at ${issuer}`))
