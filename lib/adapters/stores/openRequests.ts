import type { RequestRecord } from '../../core/request.ts'

type Open = Pick<RequestRecord, 'id' | 'sub'>

/** Which requests of a user are open, in memory. Most users have one: its id alone costs less than a set of one. */
export function createOpenRequests(isOpen: (id: string, now: number) => boolean) {
  const bySub = new Map<string, string | Set<string>>()

  return {
    add({ id, sub }: Open): void {
      if (sub === undefined) return
      const open = bySub.get(sub)
      if (open === undefined) bySub.set(sub, id)
      else if (typeof open !== 'string') open.add(id)
      else if (open !== id) bySub.set(sub, new Set([open, id]))
    },

    remove({ id, sub }: Open): void {
      if (sub === undefined) return
      const open = bySub.get(sub)
      if (open === id) bySub.delete(sub)
      else if (typeof open === 'object' && open.delete(id) && open.size === 0) bySub.delete(sub)
    },

    /** How many there are. Only looked at one by one when there seem to be `enough`. */
    count(sub: string | undefined, enough: number, now: number): number {
      const open = sub === undefined ? undefined : bySub.get(sub)
      if (open === undefined) return 0
      if (typeof open === 'string') return isOpen(open, now) ? 1 : 0
      if (open.size < enough) return open.size
      for (const id of open) if (!isOpen(id, now)) open.delete(id)
      return open.size
    },
  }
}
