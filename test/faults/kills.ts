import type { Backend, StoreSettings } from './backends.ts'
import { type Node, startNode } from './fleet.ts'
import { expectThat, inParallel, type Tally, wordFor } from './tally.ts'

/** What the client and the user know when their server is gone. */
interface Known {
  authReqId?: string
  /** `sent`: no answer came back. */
  decided?: 'sent' | 'acknowledged'
  collected?: 'sent' | 'acknowledged'
  tokens: number
}

/** Ends the server with `kill -9` before and after every step that one request takes in the store. */
export async function killBetweenSteps(
  backend: Backend,
  store: StoreSettings,
  tally: Tally,
): Promise<readonly string[]> {
  const steps: string[] = []
  const survivor = await startNode(store)
  const watched = await startNode(store, async (step) => void steps.push(step))
  await live(watched, 'nobody-dies', { tokens: 0 })
  await watched.kill()
  await inParallel(steps.length, 2, async (at) => {
    const known: Known = { tokens: 0 }
    const user = `kill-${at}`
    let reached = 0
    const node: Node = await startNode(store, async () => {
      if (reached++ === at) await node.kill()
    })
    await live(node, user, known)
    await node.kill()
    tally.rounds += 1
    tally.kills += 1
    expectThat(tally, reached === at + 1, `the server lived on after step ${at}`)
    await lookAfter(survivor, backend, user, known, tally, steps[at] ?? '')
  })
  await survivor.kill()
  return steps
}

/** A request's whole life, as far as the server lives. */
async function live(node: Node, user: string, known: Known): Promise<void> {
  const started = await node.start(user)
  if (started.body.auth_req_id === undefined) return
  known.authReqId = started.body.auth_req_id
  if ((await node.poll(known.authReqId)).status === 0) return
  known.decided = 'sent'
  if (wordFor(await node.decide(user, known.authReqId, true)) !== 'done') return
  known.decided = 'acknowledged'
  known.collected = 'sent'
  if (wordFor(await node.poll(known.authReqId)) !== 'tokens') return
  known.collected = 'acknowledged'
  known.tokens += 1
}

/** On another server of the same store, the client goes on where it was. */
async function lookAfter(
  node: Node,
  { outlives }: Backend,
  user: string,
  known: Known,
  tally: Tally,
  step: string,
): Promise<void> {
  const { authReqId } = known
  if (authReqId === undefined) return
  const first = wordFor(await node.poll(authReqId))
  if (first === 'tokens') known.tokens += 1
  if (!expected(known).includes(first)) {
    tally.lost += 1
    const gone = first === 'invalid_grant' && !outlives.process
    expectThat(tally, gone, `killed ${step}: the next poll was told ${first}`)
  }
  if (first === 'authorization_pending' || first === 'slow_down') {
    await node.decide(user, authReqId, true)
    if (wordFor(await node.poll(authReqId)) === 'tokens') known.tokens += 1
    else tally.lost += 1
  }
  if (wordFor(await node.poll(authReqId)) === 'tokens') known.tokens += 1
  if (known.tokens > 1) tally.doubles += 1
}

/** What the next poll may be told when nothing that was acknowledged is lost. */
function expected({ decided, collected }: Known): readonly string[] {
  const pending = ['authorization_pending', 'slow_down']
  if (collected === 'acknowledged') return ['invalid_grant']
  if (collected === 'sent') return ['tokens', 'invalid_grant']
  if (decided === 'acknowledged') return ['tokens']
  return decided === 'sent' ? [...pending, 'tokens'] : pending
}
