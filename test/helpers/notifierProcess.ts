/** A host in a process of its own, so that it can be killed: `startNotifier` in `notifier.ts` runs it. */
import { bullmqQueue, type DeliveryQueue, inProcessQueue, redisStore } from 'express-ciba'
import { Redis } from 'ioredis'
import { clients, startHost } from './host.ts'
import type { NotifierOptions } from './notifier.ts'

const options: NotifierOptions = JSON.parse(process.argv[2] ?? '')
const redis = new Redis({ port: options.redisPort, maxRetriesPerRequest: null })

const queue: DeliveryQueue =
  options.queue === 'bullmq'
    ? bullmqQueue({ connection: redis, recheckSeconds: 1, firstRetryMs: 50 })
    : inProcessQueue({ firstRetryMs: 50 })
const wake = (...args: Parameters<DeliveryQueue['wake']>) => {
  if (options.dies !== 'before the call') return queue.wake(...args)
  console.log('decided')
  return new Promise<void>(() => {})
}

const host = await startHost({
  store: redisStore(redis),
  queue: { ...queue, wake },
  secret: 'a secret that outlives the process, 0123456789',
  deliveryModes: ['poll', 'ping', 'push'],
  clients: (id) => ({
    ...clients[0],
    client_id: id,
    backchannel_token_delivery_mode: options.mode,
    backchannel_client_notification_endpoint: options.receiver.url,
  }),
  outbound: { allow: [options.receiver.host], ca: options.receiver.ca },
})
console.log(`origin ${host.origin}`)
