import type { BackchannelStore, Telemetry } from '../contracts/contracts.ts'
import { BackchannelError, unavailable } from './errors.ts'
import type { BackchannelEvent, Emit } from './events.ts'

type Part = Extract<BackchannelEvent, { type: 'outage' }>['of']

/** Runs a step on something outside. When it fails, an event says so and the caller gets 503, never "not found". */
export type Guard = <T>(of: Part, step: () => T | Promise<T>) => Promise<T>

export function createGuard(emit: Emit, telemetry?: Pick<Telemetry, 'step'>): Guard {
  const guard: Guard = async (of, step) => {
    try {
      return await step()
    } catch (thrown) {
      if (thrown instanceof BackchannelError) throw thrown
      emit({ type: 'outage', of, cause: thrown })
      throw unavailable(thrown)
    }
  }
  return telemetry === undefined ? guard : (of, step) => telemetry.step(of, () => guard(of, step))
}

/** The store, with every verb guarded. */
export function guardStore(store: BackchannelStore, guard: Guard): BackchannelStore {
  const { release, listen } = store
  return {
    add: (record, openLimit) => guard('store', () => store.add(record, openLimit)),
    find: (id) => guard('store', () => store.find(id)),
    poll: (id, poller, now, holdMs) => guard('store', () => store.poll(id, poller, now, holdMs)),
    move: (id, move) => guard('store', () => store.move(id, move)),
    firstSeen: (key, until) => guard('store', () => store.firstSeen(key, until)),
    seen: (key) => guard('store', () => store.seen(key)),
    addGrant: (grant) => guard('store', () => store.addGrant(grant)),
    findGrant: (id) => guard('store', () => store.findGrant(id)),
    rotate: (id, rotation) => guard('store', () => store.rotate(id, rotation)),
    endGrant: (id) => guard('store', () => store.endGrant(id)),
    ...(release === undefined ? {} : { release: (id, at) => guard('store', () => release.call(store, id, at)) }),
    ...(listen === undefined ? {} : { listen: (listener) => listen.call(store, listener) }),
    close: async () => store.close?.(),
  }
}
