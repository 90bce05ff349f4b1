import type { DeliveryQueue } from '../../contracts/queue.ts'
import type { Guard } from './guard.ts'

/** The host's queue, guarded. */
export function guardQueue(queue: DeliveryQueue, guard: Guard): DeliveryQueue {
  return {
    start(run, onError) {
      const started: unknown = queue.start(run, onError)
      if (started instanceof Promise) started.catch(onError)
    },
    add: guard.wrap('queue', 'delivery.queue.add', (job) => queue.add(job)),
    wake: guard.wrap('queue', 'delivery.queue.wake', (job) => queue.wake(job)),
    failed: guard.wrap('queue', 'delivery.queue.failed', () => queue.failed()),
    replay: guard.wrap('queue', 'delivery.queue.replay', (request) => queue.replay(request)),
    // resolves when the calls under way are over, which may take longer than a hook may
    close: async () => queue.close(),
  }
}
