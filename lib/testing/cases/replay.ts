import { newId } from '../../core/crypto/handles.ts'
import { equal, later } from '../check.ts'
import type { Cases } from './case.ts'

export const replayCases: Cases = {
  'a key is new once, until its time': async ({ store, race }) => {
    const key = `contract:${newId()}`
    const seen = await race(() => store.firstSeen(key, Date.now() + 60_000))
    equal(seen.filter(Boolean).length, 1)
    equal(await store.firstSeen(`${key}:other`, Date.now() + 60_000), true)
    equal([await store.seen(key), await store.seen(`${key}:third`)], [true, false])
    equal(await store.firstSeen(`${key}:third`, Date.now() + 60_000), true)
    const short = `contract:${newId()}`
    equal(await store.firstSeen(short, Date.now() + 300), true)
    await later(400)
    equal(await store.seen(short), false)
    equal(await store.firstSeen(short, Date.now() + 300), true)
  },
}
