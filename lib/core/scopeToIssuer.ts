import type { BackchannelStore } from '../contracts/contracts.ts'
import { changed } from './request.ts'

/**
 * The store as one issuer sees it. Several may share a store (tenants of one server, say), with clients and users of the same
 * names: what one of them wrote is not there for the others.
 */
export function ownStore(store: BackchannelStore, issuer: string): BackchannelStore {
  const isOwn = (written: { readonly issuer?: string } | undefined) =>
    written?.issuer === undefined || written.issuer === issuer

  return {
    ...store,
    add: (record, openLimit) => store.add(changed(record, { issuer }), openLimit),
    addGrant: (grant) => store.addGrant(changed(grant, { issuer })),
    async find(id) {
      const record = await store.find(id)
      return isOwn(record) ? record : undefined
    },
    async poll(id, poller, now, holdMs) {
      const polled = await store.poll(id, poller, now, holdMs)
      return isOwn(polled?.record) ? polled : undefined
    },
    async findGrant(id) {
      const grant = await store.findGrant(id)
      return isOwn(grant) ? grant : undefined
    },
  }
}
