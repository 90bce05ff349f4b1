/**
 * An agent that wants to pay asks a human first, waits, and goes on with the token or stops.
 * `ISSUER=http://127.0.0.1:3000 npx tsx examples/ai-agent/agent.ts alice@example.com "Invoice 4711" 17.50`
 */
import * as client from 'openid-client'

const [approver = 'alice@example.com', payee = 'Invoice 4711', amount = '17.50'] = process.argv.slice(2)
const issuer = new URL(process.env.ISSUER ?? 'http://127.0.0.1:3000')
const clientId = process.env.CLIENT_ID ?? 'till'
const secret = process.env.CLIENT_SECRET ?? 'a-secret-for-the-demo-only-0123456789'

const config = await client.discovery(issuer, clientId, undefined, client.ClientSecretBasic(secret), {
  execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
})

const started = await client.initiateBackchannelAuthentication(config, {
  scope: 'openid',
  login_hint: approver,
  binding_message: `Invoice agent: ${payee}`,
  authorization_details: JSON.stringify([{ type: 'payment', payee, amount, currency: 'EUR' }]),
  request_context: JSON.stringify({ channel: process.env.CHANNEL ?? 'link', login_hint_type: 'email' }),
  requested_expiry: '300',
})
if (typeof started.link === 'string') console.log(`Ask ${approver} to open ${started.link}`)
else console.log(`${approver} was asked. Waiting …`)

try {
  const tokens = await client.pollBackchannelAuthenticationGrant(config, started)
  const [granted] = tokens.authorization_details ?? []
  console.log(`${tokens.claims()?.sub} approved. Paying ${granted?.amount} EUR for ${granted?.payee} with the token.`)
} catch (thrown) {
  const reason = thrown instanceof client.ResponseBodyError ? thrown.error : (thrown as Error).message
  console.log(`Not paying: ${reason}.`)
  process.exitCode = 1
}
