import type { RequestRecord } from '../../contracts/request.ts'
import type { BackchannelStore } from '../../contracts/store.ts'
import { newId } from '../../core/crypto/handles.ts'
import { equal, until } from '../check.ts'
import { addedRecord, grantRecord, pollerOf, requestRecord, rotation } from '../records.ts'
import { subscribed } from './answers.ts'
import type { Cases } from './case.ts'

/** Makes the backend unreachable, and reachable again with what it held. */
interface Outage {
  begin(): Promise<void>
  end(): Promise<void>
}

export function outageCases(outage: Outage): Cases {
  return {
    'subscribers hear of answers again after an outage': async ({ store }) => {
      if (store.subscribe === undefined) return
      const { bus, answered, isConnected } = await subscribed(store)
      await during(outage, () => until(() => !isConnected()))
      await until(isConnected)
      const request = newId()
      await bus.publish(request)
      await until(() => answered.includes(request))
      await bus.close()
    },

    'an outage rejects, and nothing is lost by it': async ({ store }) => {
      const record = await addedRecord(store)
      await during(outage, async () => {
        const verbs = verbsOn(store, record)
        const outcomes = await Promise.allSettled(verbs.map(([, run]) => run()))
        equal(
          outcomes.map(({ status }, n) => [verbs[n]?.[0], status]),
          verbs.map(([verb]) => [verb, 'rejected']),
        )
      })
      equal((await store.find(record.id))?.status, 'pending')
      const settled = await store.move(record.id, { from: 'pending', to: 'denied', now: record.receivedAt + 1 })
      equal(settled?.moved, true)
    },
  }
}

async function during(outage: Outage, step: () => Promise<void>): Promise<void> {
  await outage.begin()
  try {
    await step()
  } finally {
    await outage.end()
  }
}

function verbsOn(store: BackchannelStore, record: RequestRecord): [verb: string, run: () => Promise<unknown>][] {
  const now = record.receivedAt + 1
  return [
    ['find', () => store.find(record.id)],
    ['poll', () => store.poll(record.id, pollerOf(record), now)],
    ['move', () => store.move(record.id, { from: 'pending', to: 'denied', now })],
    ['add', () => store.add(requestRecord())],
    ['firstSeen', () => store.firstSeen(newId(), Date.now() + 1000)],
    ['seen', () => store.seen(newId())],
    ['addGrant', () => store.addGrant(grantRecord())],
    ['findGrant', () => store.findGrant(newId())],
    ['rotate', () => store.rotate(newId(), rotation('a', 'b'))],
    ['endGrant', () => store.endGrant(newId())],
  ]
}
