import type { Node } from './fleet.ts'
import { expectThat, inParallel, sleep, type Tally, wordFor } from './tally.ts'

const pollers = 16
const deciders = 8

/** Approved requests, each collected by 16 polls at once, spread over all processes: one of them gets tokens. */
export async function racePolls(fleet: readonly Node[], requests: number, tally: Tally): Promise<void> {
  await inParallel(requests, 4, async (n) => {
    const user = `poll-${n}`
    const authReqId = (await nodeOf(fleet, n).start(user)).body.auth_req_id ?? ''
    await nodeOf(fleet, n + 1).decide(user, authReqId, true)
    const answers = await Promise.all(Array.from({ length: pollers }, (_, k) => nodeOf(fleet, n + k).poll(authReqId)))
    const words = answers.map(wordFor)
    tally.rounds += 1
    tally.races += pollers
    const tokens = words.filter((word) => word === 'tokens').length
    if (tokens > 1) tally.doubles += 1
    if (tokens === 0) tally.lost += 1
    const others = words.filter((word) => word !== 'tokens')
    expectThat(
      tally,
      others.every((word) => word === 'invalid_grant'),
      `racing polls were told ${others}`,
    )
  })
}

/** Pending requests, each approved and denied by 8 at once: one answer stands, and nobody was told otherwise. */
export async function raceDecisions(fleet: readonly Node[], requests: number, tally: Tally): Promise<void> {
  await inParallel(requests, 4, async (n) => {
    const user = `decide-${n}`
    const authReqId = (await nodeOf(fleet, n).start(user)).body.auth_req_id ?? ''
    const answers = await Promise.all(
      Array.from({ length: deciders }, async (_, k) => {
        const approved = (n + k) % 2 === 0
        return { approved, word: wordFor(await nodeOf(fleet, n + k).decide(user, authReqId, approved)) }
      }),
    )
    const collected = wordFor(await nodeOf(fleet, n).poll(authReqId))
    const again = wordFor(await nodeOf(fleet, n + 1).poll(authReqId))
    tally.rounds += 1
    tally.races += deciders
    if (collected === 'tokens' && again === 'tokens') tally.doubles += 1
    const stands = collected === 'tokens'
    const wrong = answers.filter(({ approved, word }) => (word === 'done') !== (approved === stands))
    expectThat(tally, wrong.length === 0, `${collected} after ${JSON.stringify(answers)}`)
  })
}

/** Requests that are approved within milliseconds of their end: an acknowledged answer stands, another is not there. */
export async function raceExpiry(fleet: readonly Node[], requests: number, tally: Tally): Promise<void> {
  await inParallel(requests, requests, async (n) => {
    const user = `expire-${n}`
    const begun = Date.now()
    const authReqId = (await nodeOf(fleet, n).start(user, { requested_expiry: '1' })).body.auth_req_id ?? ''
    await sleep(begun + 1000 - 30 + (n % 60) - Date.now())
    const answers = await Promise.all(
      Array.from({ length: 4 }, async (_, k) => {
        await sleep(5 * k)
        return wordFor(await nodeOf(fleet, n + k).decide(user, authReqId, true))
      }),
    )
    await sleep(begun + 1200 - Date.now())
    const stands = wordFor(await nodeOf(fleet, n).decide(user, authReqId, true))
    const collected = wordFor(await nodeOf(fleet, n).poll(authReqId))
    tally.rounds += 1
    tally.races += answers.length
    if (answers.includes('done') && stands !== 'done') tally.lost += 1
    expectThat(tally, answers.includes('done') || stands === 'expired_token', `${stands} after ${answers}`)
    expectThat(tally, collected === 'expired_token', `${collected} after the end`)
  })
}

function nodeOf(fleet: readonly Node[], n: number): Node {
  return fleet[n % fleet.length] as Node
}
