/** One of several equal processes: whatever they have to remember together is in Redis. Started by `start.ts`. */
import type { AddressInfo } from 'node:net'
import express from 'express'
import { cibaGrantType, createBackchannelRouter, linkChannel } from 'express-ciba'
import { redisStore } from 'express-ciba/stores/redis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'

const redis = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
redis.on('error', (error) => console.error(`Redis: ${error.message}`))
await redis.connect()

const till = {
  client_id: 'till',
  client_secret: 'a-secret-for-the-demo-only-0123456789',
  client_name: 'Corner Bank till',
  grant_types: [cibaGrantType],
  backchannel_token_delivery_mode: 'poll',
} as const
const alice = { sub: 'alice', email: 'alice@example.com' }

const app = express()
const ciba = createBackchannelRouter({
  // the same in every process: who we are, where we are, what we sign and seal with, and what we remember
  issuer: String(process.env.PUBLIC_URL),
  keys: JSON.parse(String(process.env.KEYS)),
  store: redisStore(redis),
  limits: { counter: (options) => new RateLimiterRedis({ storeClient: redis, useRedisPackage: true, ...options }) },
  clients: { find: ({ clientId }) => (clientId === till.client_id ? till : undefined) },
  users: { find: ({ hint: { value } }) => ([alice.sub, alice.email].includes(value) ? alice : undefined) },
  session: {
    // a login of its own for the demo: whoever asks is Alice
    current: () => ({ sub: alice.sub, authTime: Math.floor(Date.now() / 1000) }),
    loginUrl: () => '/',
  },
  channels: [linkChannel()],
})
app.use((_req, res, next) => {
  res.set('x-process', String(process.pid))
  next()
})
app.use(ciba)

const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('SIGTERM', async () => {
  server.close()
  await ciba.backchannel.close()
  redis.destroy()
})
