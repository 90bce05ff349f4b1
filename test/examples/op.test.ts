import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as client from 'openid-client'
import { type Program, startProgram } from '../helpers/program.ts'

describe('examples/op', function () {
  this.timeout(30_000)
  let folder: string
  let program: Program
  // biome-ignore lint/suspicious/noExplicitAny: it is JSON from another process
  let op: any
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'express-ciba-op-'))
    const file = join(folder, 'config.json')
    writeFileSync(file, JSON.stringify({ approve: true, options: { polling: { intervalSeconds: 1 } } }))
    program = startProgram(['--import', 'tsx', 'examples/op/main.ts', file])
    op = JSON.parse(await program.line(/^\{/))
  })
  after(async () => {
    await program.stop()
    rmSync(folder, { recursive: true })
  })

  it('describes itself in one line of JSON', () => {
    expect(op).to.have.all.keys(
      'name',
      'version',
      'pid',
      'baseUrl',
      'issuer',
      'discovery_url',
      'backchannel_authentication_endpoint',
      'token_endpoint',
      'jwks_uri',
      'resource_url',
      'approve_url',
      'scope',
      'login_hint',
      'users',
      'id_token_alg',
      'poll_interval',
      'clients',
    )
    expect(op).to.include({ name: 'express-ciba', pid: program.child.pid, poll_interval: 1 })
  })

  const answer = (authReqId: string, action: string) =>
    fetch(op.approve_url.replace('{auth_req_id}', authReqId).replace('{action}', action), { method: 'POST' })

  it('serves the whole flow, from discovery to its own resource', async () => {
    const [{ client_id, client_secret }] = op.clients
    const config = await client.discovery(
      new URL(op.issuer),
      client_id,
      undefined,
      client.ClientSecretBasic(client_secret),
      { execute: [client.allowInsecureRequests] },
    )
    const parameters = { scope: op.scope, login_hint: op.login_hint }
    const started = await client.initiateBackchannelAuthentication(config, parameters)
    expect((await answer(started.auth_req_id, 'allow')).status).to.equal(204)
    const tokens = await client.pollBackchannelAuthenticationGrant(config, started)
    const resource = await fetch(op.resource_url, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    expect([resource.status, await resource.json()]).to.deep.equal([200, { sub: 'alice', scope: 'openid' }])
    expect((await fetch(op.resource_url)).status).to.equal(401)

    const denied = await client.initiateBackchannelAuthentication(config, parameters)
    expect((await answer(denied.auth_req_id, 'deny')).status).to.equal(204)
    expect((await answer(denied.auth_req_id, 'allow')).status).to.equal(409)
    expect((await answer(denied.auth_req_id, 'maybe')).status).to.equal(400)
  })

  it('answers 4xx JSON to an approval of what it does not know', async () => {
    const unknown = await answer('unknown', 'allow')
    expect([unknown.status, ((await unknown.json()) as { error: string }).error]).to.deep.equal([
      404,
      'invalid_request',
    ])
  })

  it('ends when its parent does, if asked to', async () => {
    const bench = startProgram(['--import', 'tsx', 'examples/op/main.ts'], { BENCH_PARENT: '1' })
    expect(JSON.parse(await bench.line(/^\{/)).approve_url).to.equal(null)
    const exited = new Promise((resolve) => bench.child.once('exit', resolve))
    bench.child.stdin?.end()
    expect(await exited).to.equal(0)
  })
})
