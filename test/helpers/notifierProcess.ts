/** A host in a process of its own, so that it can be killed: `startNotifier` in `notifier.ts` runs it. */
import KeyvRedis from '@keyv/redis'
import { type BackchannelStore, type DeliveryQueue, inProcessQueue } from 'express-ciba'
import { bullmqQueue } from 'express-ciba/queues/bullmq'
import { keyvStore } from 'express-ciba/stores/keyv'
import { postgresStore } from 'express-ciba/stores/postgres'
import { redisStore } from 'express-ciba/stores/redis'
import { Redis } from 'ioredis'
import Keyv from 'keyv'
import { Pool } from 'pg'
import { clients, startHost } from './host.ts'
import type { NotifierOptions } from './notifier.ts'

const options: NotifierOptions = JSON.parse(process.argv[2] ?? '')

async function openStore(): Promise<BackchannelStore> {
  if (options.store === 'keyvStore') return keyvStore(new Keyv(new KeyvRedis(options.url)))
  if (options.store === 'redisStore') return redisStore(new Redis(options.url))
  const store = postgresStore(new Pool({ connectionString: options.url }))
  await store.migrate()
  return store
}

const queue: DeliveryQueue =
  options.queue === 'bullmq'
    ? bullmqQueue({
        connection: new Redis(options.url, { maxRetriesPerRequest: null }),
        recheckSeconds: 1,
        firstRetrySeconds: 0.05,
      })
    : inProcessQueue({ firstRetrySeconds: 0.05 })
const wake = (...args: Parameters<DeliveryQueue['wake']>) => {
  if (options.dies !== 'before the call') return queue.wake(...args)
  console.log('decided')
  return new Promise<void>(() => {})
}

const host = await startHost({
  store: await openStore(),
  delivery: {
    queue: { ...queue, wake },
    modes: ['poll', 'ping', 'push'],
    outbound: { allow: [options.receiver.host], ca: options.receiver.ca },
  },
  issuer: 'https://login.example.com',
  secret: 'a secret that outlives the process, 0123456789',
  clients: {
    find: ({ clientId: id }) => ({
      ...clients[0],
      client_id: id,
      backchannel_token_delivery_mode: options.mode,
      backchannel_client_notification_endpoint: options.receiver.url,
    }),
  },
})
console.log(`origin ${host.origin}`)
