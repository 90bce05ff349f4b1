import type { DeliveryQueue } from 'express-ciba'

/** A queue that lets no ping out while somebody holds its request. */
export interface HeldQueue {
  readonly queue: DeliveryQueue
  /** @returns what lets go of it */
  hold(request: string): () => void
}

export function heldQueue(inner: DeliveryQueue): HeldQueue {
  const held = new Map<string, Promise<void>>()
  return {
    queue: {
      ...inner,
      async wake(job) {
        const released = held.get(job.request)
        if (released === undefined) await inner.wake(job)
        else void released.then(() => inner.wake(job))
      },
    },
    hold(request) {
      let release = () => {}
      held.set(
        request,
        new Promise((resolve) => {
          release = resolve
        }),
      )
      return () => {
        held.delete(request)
        release()
      }
    },
  }
}
