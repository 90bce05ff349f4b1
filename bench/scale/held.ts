import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { privateJwk } from '../../test/helpers/tokens.ts'
import { basic, formHeaders, pollOf } from '../client.ts'
import type { Backend } from './open.ts'
import { type ScaleServer, startScaleServer } from './server.ts'

const decisions = 1_000

/** What a held poll weighs beyond the socket that it comes on, which bare Express holds as well. */
export async function weighHeld(count: number) {
  const bare = await startScaleServer({ bare: true })
  const express = await weighed(
    bare,
    Array.from({ length: count }, () => 'x'.repeat(59)),
    async () => {
      while ((await bare.weigh()).held < count) await later(50)
    },
  )
  await bare.close()

  const server = await startScaleServer({ holdSeconds: 30 })
  const ids = await server.seed(count, count)
  const ours = await weighed(server, ids, () => later(500))
  await server.close()
  return {
    'held polls': count,
    'Express, heap bytes each': express.heap,
    'Express, rss bytes each': express.rss,
    'express-ciba, heap bytes each': ours.heap,
    'express-ciba, rss bytes each': ours.rss,
    'beyond it, heap bytes each': ours.heap - express.heap,
    'beyond it, rss bytes each': ours.rss - express.rss,
  }
}

async function weighed(server: ScaleServer, ids: readonly string[], settled: () => Promise<void>) {
  const before = await server.weigh()
  const polls: Poll[] = []
  // in parts, as a listener takes so many at a time
  for (let from = 0; from < ids.length; from += 500) {
    polls.push(...(await Promise.all(ids.slice(from, from + 500).map((id) => openPoll(server, id)))))
  }
  await settled()
  const after = await server.weigh()
  const answered = polls.filter(({ answer }) => answer() !== '').length
  if (answered > 0) throw new Error(`${answered} of ${ids.length} polls were not held`)
  for (const { socket } of polls) socket.destroy()
  return {
    heap: Math.round((after.heap - before.heap) / ids.length),
    rss: Math.round((after.rss - before.rss) / ids.length),
  }
}

/** Milliseconds from the call that decides to the answer of a poll that is held, here or by another process. */
export async function measureDecisions({ name, url }: Backend) {
  const keys = { keys: [privateJwk('P-256')] }
  const settings = { store: url, holdSeconds: 30, keys }
  const holder = await startScaleServer(settings)
  const decider = url === undefined ? holder : await startScaleServer(settings)
  await later(500) // until both listen
  const times: number[] = []
  for (const id of await holder.seed(decisions, decisions)) {
    const poll = await openPoll(holder, id)
    await later(3)
    const began = performance.now()
    const [answer] = await Promise.all([poll.answered, decider.approve(id)])
    times.push(answer.at - began)
    if (!answer.text.startsWith('HTTP/1.1 200')) throw new Error(`${name}: a held poll was answered ${answer.text}`)
    poll.socket.destroy()
  }
  await holder.close()
  if (decider !== holder) await decider.close()
  times.sort((a, b) => a - b)
  const at = (share: number) => Number((times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(1))
  return {
    store: name,
    processes: decider === holder ? 1 : 2,
    decisions,
    'p50 ms': at(0.5),
    'p99 ms': at(0.99),
    'longest ms': at(1),
  }
}

interface Poll {
  readonly socket: Socket
  answer(): string
  readonly answered: Promise<{ readonly text: string; readonly at: number }>
}

/** A poll on a socket of its own, as thousands of clients have. */
async function openPoll({ issuer }: ScaleServer, authReqId: string): Promise<Poll> {
  const socket = connect(Number(new URL(issuer).port), '127.0.0.1').setEncoding('utf8')
  let text = ''
  const answered = new Promise<{ text: string; at: number }>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk
      resolve({ text, at: performance.now() })
    })
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const body = pollOf(authReqId)
  const headers = Object.entries({ host: '127.0.0.1', ...formHeaders(basic), 'content-length': body.length })
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  socket.write(`POST /oidc/token HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  return { socket, answer: () => text, answered }
}
