/** A login server that had Express and a login page, and now has CIBA. `npm run quickstart`, then open the URL it prints. */
import express from 'express'
import { createBackchannelRouter } from 'express-ciba'
import { demoClient } from './client.ts'
import { login } from './login.ts'

const port = Number(process.env.PORT ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const alice = { sub: 'alice', name: 'Alice', email: 'alice@example.com', phone_number: '+15550100' }
const till = {
  client_id: 'till',
  client_secret: 'a-secret-for-the-demo-only-0123456789',
  client_name: 'Corner Bank till',
  grant_types: ['urn:openid:params:grant-type:ciba'],
  backchannel_token_delivery_mode: 'poll',
} as const

const app = express()
const { router: loginRouter, session } = login([alice])
app.use(loginRouter)
app.use(
  createBackchannelRouter({
    issuer,
    clients: { find: ({ clientId }) => (clientId === till.client_id ? till : undefined) },
    users: { find: ({ hint: { value } }) => (Object.values(alice).includes(value) ? alice : undefined) },
    session,
  }),
)
app.use(demoClient({ issuer, client: till, loginHint: alice.email }))

app.listen(port, '127.0.0.1', (error?: Error) => {
  if (error) throw error
  console.log(`\n  Open ${issuer} and start a request.\n`)
})
