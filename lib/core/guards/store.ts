import type { AnswerBus, AnswerSubscriber, BackchannelStore } from '../../contracts/store.ts'
import { changed, omitUndefined } from '../json.ts'
import type { Guard } from './guard.ts'

/**
 * The host's store, guarded, as one issuer sees it. Several issuers may share a store (tenants of one server), with
 * clients and users of the same names: what one of them wrote does not exist for the others. `null` counts as absent.
 */
export function guardStore(store: BackchannelStore, guard: Guard, issuer: string): BackchannelStore {
  const ownOnly = <T extends { readonly issuer?: string }>(written: T | undefined | null): T | undefined =>
    written === null || (written?.issuer ?? issuer) !== issuer ? undefined : written
  const present = <T>(result: T | undefined | null): T | undefined => result ?? undefined

  return {
    add: guard.wrap('store', 'store.add', (record, openLimit) => store.add(changed(record, { issuer }), openLimit)),
    find: guard.wrap('store', 'store.find', (id) => store.find(id), ownOnly),
    poll: guard.wrap(
      'store',
      'store.poll',
      (id, poller, now, holdMs) => store.poll(id, poller, now, holdMs),
      (polled) => (ownOnly(polled?.record) === undefined ? undefined : polled),
    ),
    move: guard.wrap('store', 'store.move', (id, move) => store.move(id, move), present),
    firstSeen: guard.wrap('store', 'store.firstSeen', (key, until) => store.firstSeen(key, until)),
    seen: guard.wrap('store', 'store.seen', (key) => store.seen(key)),
    addGrant: guard.wrap('store', 'store.addGrant', (grant) => store.addGrant(changed(grant, { issuer }))),
    findGrant: guard.wrap('store', 'store.findGrant', (id) => store.findGrant(id), ownOnly),
    rotate: guard.wrap('store', 'store.rotate', (id, rotation) => store.rotate(id, rotation), present),
    endGrant: guard.wrap('store', 'store.endGrant', (id) => store.endGrant(id)),
    ...optionalVerbs(store, guard),
    close: async () => store.close?.(),
  }
}

/** Verbs that are absent stay absent: that says what a store cannot do. */
function optionalVerbs(store: BackchannelStore, guard: Guard): Pick<BackchannelStore, 'release' | 'subscribe'> {
  const { release, subscribe } = store
  return omitUndefined({
    release:
      release &&
      guard.wrap('store', 'store.release', (id: string, polledAt: number) => release.call(store, id, polledAt)),
    subscribe:
      subscribe &&
      ((subscriber: AnswerSubscriber): AnswerBus => {
        const bus = subscribe.call(store, subscriber)
        return {
          publish: guard.wrap('store', 'store.subscribe', (request) => bus.publish(request)),
          close: async () => bus.close(),
        }
      }),
  })
}
