import type { AnswerBus, AnswerSubscriber } from '../../contracts/store.ts'

/** Opens the one connection that all subscribers of a store share. */
export type OpenBus = (subscriber: AnswerSubscriber) => AnswerBus

/** Shares a bus: it is opened for the first subscriber and closed after the last one. */
export function shareBus(open: OpenBus): OpenBus {
  const subscribers = new Set<AnswerSubscriber>()
  let bus: AnswerBus | undefined
  let isConnected = false

  const all: AnswerSubscriber = {
    onAnswer(request) {
      for (const each of subscribers) each.onAnswer(request)
    },
    onConnect() {
      isConnected = true
      for (const each of subscribers) each.onConnect()
    },
    onDisconnect() {
      isConnected = false
      for (const each of subscribers) each.onDisconnect()
    },
  }

  return (subscriber) => {
    subscribers.add(subscriber)
    bus ??= open(all)
    if (isConnected) subscriber.onConnect()
    const shared = bus
    return {
      publish: (request) => shared.publish(request),
      async close() {
        subscribers.delete(subscriber)
        if (subscribers.size > 0 || bus !== shared) return
        bus = undefined
        isConnected = false
        await shared.close()
      },
    }
  }
}
