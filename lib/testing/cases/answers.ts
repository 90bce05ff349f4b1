import type { AnswerBus, BackchannelStore } from '../../contracts/store.ts'
import { newId } from '../../core/crypto/handles.ts'
import { equal, until } from '../check.ts'
import type { Cases } from './case.ts'

export const answerCases: Cases = {
  'subscribers hear of every answer that is published, also by another process': async ({ store, open }) => {
    if (store.subscribe === undefined) return
    const other = await open()
    try {
      const [first, second, third] = [await subscribed(store), await subscribed(store), await subscribed(other)]
      const all = [first, second, third]
      const requests = [newId(), newId()] as const
      await first.bus.publish(requests[0])
      await until(() => all.every(({ answered }) => answered.includes(requests[0])))
      await first.bus.close()
      await third.bus.publish(requests[1])
      await until(() => [second, third].every(({ answered }) => answered.includes(requests[1])))
      equal(first.answered.includes(requests[1]), false)
      for (const { bus } of [second, third]) await bus.close()
    } finally {
      await other.close?.()
    }
  },
}

/** A subscriber that is connected. */
export interface Subscribed {
  readonly bus: AnswerBus
  /** The requests that it has heard of. */
  readonly answered: readonly string[]
  isConnected(): boolean
}

/** Subscribes, and waits for the connection. */
export async function subscribed(store: BackchannelStore): Promise<Subscribed> {
  if (store.subscribe === undefined) throw new Error('the store has no subscribe')
  const answered: string[] = []
  let isConnected = false
  const bus = store.subscribe({
    onAnswer: (request) => void answered.push(request),
    onConnect() {
      isConnected = true
    },
    onDisconnect() {
      isConnected = false
    },
  })
  await until(() => isConnected)
  return { bus, answered, isConnected: () => isConnected }
}
