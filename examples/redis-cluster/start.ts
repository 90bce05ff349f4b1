/**
 * Two processes behind a proxy that sends each call to the next of them, on one Redis.
 * `REDIS_URL=redis://127.0.0.1:6379 npx tsx examples/redis-cluster/start.ts`. Kill one of them: nobody notices.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair } from 'jose'

const port = Number(process.env.PORT ?? 3000)
const { privateKey } = await generateKeyPair('ES256', { extractable: true })
const env = {
  ...process.env,
  PUBLIC_URL: `http://127.0.0.1:${port}`,
  KEYS: JSON.stringify({ keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid: '1' }] }),
}
const workers: Worker[] = []
workers.push(...(await Promise.all([start(), start()])))

interface Worker {
  readonly child: ChildProcess
  readonly port: number
}

async function start(): Promise<Worker> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), { env })
  const ready = await new Promise<{ readonly port: number }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { port: number }))
    child.once('exit', () => reject(new Error('a process has ended before it was ready')))
  })
  child.once('exit', () => workers.splice(workers.indexOf(worker), 1))
  const worker = { child, port: ready.port }
  return worker
}

let next = 0
/** Sends the call to one process, and to another one when that is gone. */
function pass(req: IncomingMessage, body: Buffer, res: ServerResponse, tries = workers.length): void {
  const worker = workers[next++ % workers.length]
  if (worker === undefined || tries === 0) return void res.writeHead(502).end()
  const call = request({
    agent: false, // a kept connection to a process that is gone would tell less than a new one
    port: worker.port,
    host: '127.0.0.1',
    method: req.method,
    path: req.url,
    headers: req.headers,
  })
  call.on('response', (answer) => answer.pipe(res.writeHead(answer.statusCode ?? 502, answer.headers)))
  call.on('error', (error: NodeJS.ErrnoException) => {
    // sent again: what reached nobody, and what changes nothing
    if (error.code === 'ECONNREFUSED' || req.method === 'GET') pass(req, body, res, tries - 1)
    else if (res.headersSent) res.destroy()
    else res.writeHead(502).end()
  })
  call.end(body)
}

const proxy = createServer(async (req, res) => pass(req, Buffer.concat(await req.toArray()), res))
proxy.listen(port, '127.0.0.1', () => {
  console.log(`${env.PUBLIC_URL} is served by processes ${workers.map(({ child }) => child.pid).join(' and ')}`)
})
process.on('SIGTERM', () => {
  for (const { child } of [...workers]) child.kill()
  proxy.close()
  proxy.closeAllConnections()
})
