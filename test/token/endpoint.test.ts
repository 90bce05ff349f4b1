import { expect } from 'chai'
import express from 'express'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

const foreign = { grant_type: 'authorization_code', code: 'abc', redirect_uri: 'https://client.example/cb?a=b&c=d' }

describe('POST /oidc/token', () => {
  let host: Host
  afterEach(() => host.close())

  for (const [what, before] of [
    ['by a parser of the route itself', []],
    ['by a parser before us', [express.urlencoded({ extended: false })]],
    ['by an extended parser before us', [express.urlencoded({ extended: true })]],
  ] as const) {
    it(`leaves other grants to the next handler, body intact, read ${what}`, async () => {
      host = await startHost({
        before,
        after: (app) =>
          app.post(
            '/oidc/token',
            express.urlencoded({ extended: true }),
            (req, res) => void res.json({ theirs: req.body }),
          ),
      })
      const { body } = await clientOf(host).post('/oidc/token', foreign)
      expect(body).to.deep.equal({ theirs: foreign })
    })
  }

  it('leaves the very bytes to a handler that reads the stream', async () => {
    host = await startHost({
      after: (app) =>
        app.post('/oidc/token', (req, res) => {
          let bytes = 0
          req.on('data', (chunk: Buffer) => {
            bytes += chunk.length
          })
          req.on('end', () => res.json({ bytes }))
        }),
    })
    const body = `grant_type=password&padding=${'x'.repeat(10_000)}`
    expect((await clientOf(host).post('/oidc/token', body)).body).to.deep.equal({ bytes: body.length })
  })

  it('leaves JSON of other grants alone as well', async () => {
    host = await startHost({
      after: (app) => app.post('/oidc/token', express.json(), (req, res) => void res.json({ theirs: req.body })),
    })
    const answer = await clientOf(host).post('/oidc/token', '{"grant_type":"other"}', {
      'content-type': 'application/json',
    })
    expect(answer.body).to.deep.equal({ theirs: { grant_type: 'other' } })
  })

  it('takes JSON of ours for ours, and refuses it, when a parser before us has read it', async () => {
    host = await startHost({
      before: [express.json()],
      after: (app) => app.post(/./, (_req, res) => void res.json({ theirs: true })),
    })
    const send = async (path: string, body: unknown) =>
      (await clientOf(host).post(path, JSON.stringify(body), { 'content-type': 'application/json' })).body
    expect((await send('/oidc/token', { grant_type: 'urn:openid:params:grant-type:ciba' })).error).to.equal(
      'invalid_request',
    )
    for (const body of [{ grant_type: 'other' }, { grant_type: 5 }, {}, []])
      expect(await send('/oidc/token', body)).to.deep.equal({ theirs: true })
    expect(await send('/oidc/revoke', { token: 'x' })).to.deep.equal({ theirs: true })
  })

  it('CIBA-4-01, CIBA-10.1-11 may refuse other grants instead', async () => {
    host = await startHost({ interop: { otherGrants: 'refuse' } })
    const { status, body } = await clientOf(host).post('/oidc/token', foreign)
    expect([status, body.error]).to.deep.equal([400, 'unsupported_grant_type'])
  })

  it('CIBA-10.1-10 answers any method but POST with 405 and Allow', async () => {
    host = await startHost()
    for (const path of ['/oidc/token', '/oidc/backchannel', '/auth/backchannel/complete']) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
        const answer = await fetch(host.origin + path, { method })
        expect([answer.status, answer.headers.get('allow')]).to.deep.equal([405, 'POST'])
      }
    }
  })

  it('threat 48 redeems once when sixteen polls race', async () => {
    host = await startHost()
    const client = clientOf(host)
    const { body } = await client.start()
    await client.complete({ auth_req_id: body.auth_req_id, approved: true })
    const answers = await Promise.all(Array.from({ length: 16 }, () => client.poll(body.auth_req_id)))
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1)
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).to.have.length(15)
  })

  it('threat 18 gives nothing away about ids of others', async () => {
    host = await startHost()
    const client = clientOf(host)
    const { body } = await client.start()
    const agent = { authorization: '' }
    const asAgent = (auth_req_id: string) =>
      client.post(
        '/oidc/token',
        {
          grant_type: 'urn:openid:params:grant-type:ciba',
          auth_req_id,
          client_id: 'agent',
          client_secret: 'agent-secret-0123456789-0123456789',
        },
        agent.authorization ? agent : {},
      )
    const theirs = await asAgent(body.auth_req_id)
    const unknown = await asAgent('A'.repeat(59))
    expect([theirs.status, theirs.body]).to.deep.equal([unknown.status, unknown.body])
    expect(theirs.body.error).to.equal('invalid_grant')
  })
})
