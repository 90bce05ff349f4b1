/**
 * A server whose size is measured. Its only argument is JSON:
 * - `store`: a `redis:` or `postgres:` URL; absent, memory
 * - `holdSeconds`: hold polls; absent, polls are answered at once, and each moves the clock on, so that none comes early
 * - `bare`: Express that reads the form of a poll and never answers
 */
import express, { type Express } from 'express'
import { type BackchannelOptions, createBackchannelRouter, linkChannel, memoryStore } from 'express-ciba'
import { openStore } from '../../examples/op/store.ts'
import { basicClient } from '../client.ts'
import { listening } from './listening.ts'

interface Settings {
  readonly store?: string
  readonly holdSeconds?: number
  readonly bare?: boolean
  readonly keys?: BackchannelOptions['keys']
}

const settings: Settings = JSON.parse(process.argv[2] ?? '{}')
const app = express().disable('x-powered-by')
const held = new Set<unknown>()

app.get('/weigh', (_req, res) => {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  res.json({ heap: heapUsed, rss, held: held.size })
})
if (settings.bare) app.post('/oidc/token', express.urlencoded({ extended: false }), (_req, res) => void held.add(res))
else await mountCiba(app, settings)

const issuer = await listening(app)
console.log(JSON.stringify({ issuer, pid: process.pid }))
process.stdin.resume().once('end', () => process.exit(0))

async function mountCiba(app: Express, { store: url, holdSeconds, keys }: Settings): Promise<void> {
  let polls = 0
  const clock = holdSeconds === undefined ? () => Date.now() + polls * 6000 : Date.now
  const opened = await openStore(url)
  const router = createBackchannelRouter({
    issuer: 'http://127.0.0.1:1',
    clients: { find: ({ clientId }) => (clientId === basicClient.client_id ? basicClient : undefined) },
    users: { find: ({ hint: { value } }) => ({ sub: value, email: `${value}@example.com` }) },
    session: { current: () => undefined, loginUrl: () => '/login' },
    channels: [linkChannel()],
    store: opened.store ?? memoryStore({ clock }),
    requests: { expirySeconds: 864_000 },
    limits: false,
    clock,
    logger: { info() {}, warn() {}, error() {} },
    ...(keys && { keys }),
    ...(holdSeconds && { polling: { holdSeconds, heldPollsPerClient: 20_000 } }),
  })
  const { backchannel } = router

  app.post('/approve', async (req, res) => {
    const request = String(req.query.auth_req_id)
    const found = await backchannel.find(request)
    await backchannel.approve({ request, by: { sub: found?.sub ?? '', authTime: 1_700_000_000 } })
    res.status(204).end()
  })

  app.post('/oidc/token', (_req, _res, next) => {
    polls += 1
    next()
  })
  app.use(router)
}
