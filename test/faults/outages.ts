import type { Server } from '../helpers/servers.ts'
import type { Backend } from './backends.ts'
import type { Answer, Node } from './fleet.ts'
import { expectThat, inParallel, sleep, type Tally, wordFor } from './tally.ts'

/** What was acknowledged to the client and the user, and what they have tried. */
interface Known {
  readonly user: string
  readonly authReqId: string
  decided: boolean
  tried: boolean
  tokens: number
}

const workers = 24

/** Kills the backend under load and starts it again, `times` times; then asks for everything that was acknowledged. */
export async function outagesUnderLoad(
  fleet: readonly Node[],
  server: Server,
  times: number,
  { outlives }: Backend,
  tally: Tally,
): Promise<void> {
  const all: Known[] = []
  let over = false
  const load = inParallel(workers, workers, async (worker) => {
    for (let n = 0; !over; n++) {
      const node = fleet[(worker + n) % fleet.length] as Node
      const known = await live(node, `outage-${worker}-${n}-${Date.now()}`, n % 3, check)
      tally.rounds += 1
      if (known !== undefined) all.push(known)
    }
  })
  for (let n = 0; n < times; n++) {
    await sleep(700)
    await server.kill()
    tally.kills += 1
    await sleep(700)
    await server.start()
    await sleep(1200)
  }
  over = true
  await load
  expectThat(tally, tally.outages > 0, 'nobody noticed the outage')
  await inParallel(all.length, workers, async (n) => {
    const known = all[n] as Known
    const node = fleet[n % fleet.length] as Node
    const first = await collect(node, known)
    if (known.tokens > 1) tally.doubles += 1
    if (expected(known).includes(first)) return
    tally.lost += 1
    const gone = first === 'invalid_grant' && !outlives.backend
    expectThat(tally, gone, `acknowledged (decided: ${known.decided}, collected: ${known.tried}), and then ${first}`)
  })

  /** An answer during an outage is a 503 that says when to come back, never an invention. */
  function check(answer: Answer): Answer {
    const word = wordFor(answer)
    const forgotten = answer.status === 404 || word === 'invalid_grant'
    if (answer.status < 400 && answer.status > 0) return answer
    if (forgotten && !outlives.backend) return answer
    tally.outages += 1
    const polite = answer.status === 503 && answer.retryAfter !== undefined && word === 'temporarily_unavailable'
    expectThat(tally, polite, `under load: ${answer.status} ${word}`)
    return answer
  }
}

/** Starts a request, and goes on to the decision and the tokens for some. */
async function live(
  node: Node,
  user: string,
  far: number,
  check: (answer: Answer) => Answer,
): Promise<Known | undefined> {
  const started = check(await node.start(user))
  if (started.body.auth_req_id === undefined) return undefined
  const known: Known = { user, authReqId: started.body.auth_req_id, decided: false, tried: false, tokens: 0 }
  if (far > 0) known.decided = wordFor(check(await node.decide(user, known.authReqId, true))) === 'done'
  if (far > 1 && known.decided) {
    known.tried = true
    if (wordFor(check(await node.poll(known.authReqId))) === 'tokens') known.tokens += 1
  }
  return known
}

/** Takes a request to its end, and says what the first poll was told. */
async function collect(node: Node, known: Known): Promise<string> {
  const words: string[] = []
  for (let tries = 0; tries < 3; tries++) {
    words.push(wordFor(await patiently(() => node.poll(known.authReqId))))
    if (tries === 0 && words[0] !== 'tokens') await patiently(() => node.decide(known.user, known.authReqId, true))
  }
  known.tokens += words.filter((word) => word === 'tokens').length
  return words[0] ?? ''
}

/** Whoever is told to come back later does. */
async function patiently(call: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const answer = await call()
    if (answer.status !== 503 || tries === 10) return answer
    await sleep(1000)
  }
}

/** What the next poll may be told when nothing that was acknowledged is lost. */
function expected({ decided, tried }: Known): readonly string[] {
  // a collection or a decision that was cut off may have been carried out, and then it counts
  if (tried) return ['tokens', 'invalid_grant']
  return decided ? ['tokens'] : ['authorization_pending', 'slow_down', 'tokens']
}
