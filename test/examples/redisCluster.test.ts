import { expect } from 'chai'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { freePort } from '../helpers/port.ts'
import { type Program, startProgram } from '../helpers/program.ts'
import { type Server, skipWithout, startRedis } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('two processes on one Redis, behind a proxy', function () {
  this.timeout(60_000)
  let redis: Server
  let program: Program
  let origin: string
  let pids: number[]
  before(async function () {
    skipWithout(this, 'redis-server')
    redis = await startRedis()
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    program = startProgram(['--import', 'tsx', 'examples/redis-cluster/start.ts'], {
      PORT: String(port),
      REDIS_URL: redis.url,
    })
    pids = [...(await program.line(/is served by processes/)).matchAll(/\b(\d+)(?= and|$)/g)].map(([pid]) =>
      Number(pid),
    )
  })
  after(async () => {
    await program?.stop()
    await redis?.close()
  })

  const authorization = `Basic ${Buffer.from('till:a-secret-for-the-demo-only-0123456789').toString('base64')}`
  const ask = () =>
    clientOf({ origin }).start(
      { scope: 'openid', login_hint: 'alice', request_context: '{"channel":"link","login_hint_type":"user_id"}' },
      { authorization },
    )
  const poll = (authReqId: string) => clientOf({ origin }).poll(authReqId, { authorization })

  it('share a request: whichever is asked answers', async () => {
    const { body } = await ask()
    const device = deviceOf(undefined)
    await device.press(await device.open(body.link), 'approve')
    const polls = await Promise.all(Array.from({ length: 6 }, () => poll(body.auth_req_id)))
    expect(new Set(polls.map(({ headers }) => headers.get('x-process'))).size).to.equal(2)
    expect(polls.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400, 400, 400])
  })

  it('go on when one of them is killed', async () => {
    expect(pids).to.have.length(2)
    const { body } = await ask()
    process.kill(Number(pids[0]), 'SIGKILL')
    await until(() => !isAlive(Number(pids[0])))
    const device = deviceOf(undefined)
    const page = await device.open(body.link)
    expect(page.response.status).to.equal(200)
    await device.press(page, 'approve')
    const { status, headers } = await poll(body.auth_req_id)
    expect([status, headers.get('x-process')]).to.deep.equal([200, String(pids[1])])
  })
})
