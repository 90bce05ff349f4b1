/** An oidc-provider with its own clients, logins and tokens, and our way to the user in its CIBA. `npx tsx examples/oidc-provider/server.ts` */
import express from 'express'
import { cibaGrantType, type User } from 'express-ciba'
import { createCibaFeature } from 'express-ciba/adapters/oidc-provider'
import { errors, Provider } from 'oidc-provider'

const port = Number(process.env.PORT ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const accounts: readonly User[] = [
  { sub: 'alice', name: 'Alice', email: 'alice@example.com' },
  { sub: 'bob', name: 'Bob', email: 'bob@example.com' },
]

const ciba = createCibaFeature({
  errors,
  issuer,
  secret: process.env.SECRET ?? 'a-secret-for-the-demo-only-0123456789',
  users: { find: ({ hint: { value } }) => accounts.find(({ sub, email }) => value === sub || value === email) },
  signIn: { clientId: 'approval-page' }, // users decide with the login that they have here
  // without "channels" the link is printed: add emailChannel(…), smsChannel(…)
})

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'till',
      client_secret: 'a-secret-for-the-demo-only-0123456789',
      client_name: 'Corner Bank till',
      redirect_uris: [],
      response_types: [],
      grant_types: [cibaGrantType, 'refresh_token'],
      backchannel_token_delivery_mode: 'poll',
    },
    {
      client_id: 'approval-page',
      redirect_uris: [`${issuer}/auth/backchannel/signed-in`],
      response_types: ['none'],
      grant_types: [],
      token_endpoint_auth_method: 'none',
    },
    {
      client_id: 'web',
      client_secret: 'another-secret-for-the-demo-0123456789',
      redirect_uris: [`${issuer}/callback`],
    },
  ],
  cookies: { keys: ['a-key-for-the-demo-only-0123456789'] },
  findAccount: (_ctx, sub) => {
    const account = accounts.find((each) => each.sub === sub)
    return account && { accountId: sub, claims: () => ({ ...account }) }
  },
  features: { ciba: ciba.feature }, // devInteractions, the login for development, is left on: whoever types "alice" is Alice
})

const app = express()
app.use(ciba.routerFor(provider))
app.use(provider.callback())
app.listen(port, '127.0.0.1', () => console.log(`oidc-provider with CIBA at ${issuer}`))
