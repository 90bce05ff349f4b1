import { connect } from 'node:net'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { BackchannelError } from 'express-ciba'
import fc from 'fast-check'
import { readForm } from '../../lib/core/http/body.ts'
import { fromParsed, limits, parse } from '../../lib/core/http/form.ts'
import { clientOf } from '../helpers/client.ts'
import { type Host, startHost } from '../helpers/host.ts'

/** Every way in which a host may have read the body before us. */
const parsers: Record<string, readonly RequestHandler[]> = {
  none: [],
  'urlencoded, simple': [express.urlencoded({ extended: false, limit: '2mb' })],
  'urlencoded, extended': [express.urlencoded({ extended: true, limit: '2mb' })],
  'json and urlencoded': [express.json({ limit: '2mb' }), express.urlencoded({ extended: true, limit: '2mb' })],
  'text for everything': [express.text({ type: '*/*', limit: '2mb' })],
  'raw for everything': [express.raw({ type: '*/*', limit: '2mb' })],
  'json for everything that is JSON': [express.json({ limit: '2mb' })],
}

const form = 'application/x-www-form-urlencoded'
const table: [what: string, body: string, outcome: string, type?: string][] = [
  ['a good request', 'scope=openid&login_hint=alice', '200'],
  ['spaces as plus and as %20', 'scope=openid+email%20phone&login_hint=alice', '200'],
  ['UTF-8, raw and encoded', `scope=openid&login_hint=alice&binding_message=${encodeURIComponent('été')}é`, '200'],
  ['names with brackets and dots', 'scope=openid&login_hint=alice&a[b]=1&c.d=2&e[]=3', '200'],
  ['a name of Object', 'scope=openid&login_hint=alice&constructor=1&toString=2', '200'],
  ['empty pairs', '&&scope=openid&&login_hint=alice&', '200'],
  ['a repeated parameter', 'scope=openid&scope=openid&login_hint=alice', '400 invalid_request'],
  ['an unknown one repeated', 'scope=openid&login_hint=alice&x=1&x=2', '400 invalid_request'],
  ['brackets in place of the name', 'scope[]=openid&login_hint=alice', '400 invalid_request'],
  ['an index in place of the name', 'scope[0]=openid&login_hint=alice', '400 invalid_request'],
  ['a member in place of the name', 'scope[a]=openid&login_hint=alice', '400 invalid_request'],
  ['a repeated one that has no plain name', 'scope=openid&login_hint=alice&a-b=1&a-b=2', '400 invalid_request'],
  ['nothing', '', '401 invalid_client'],
  ['JSON', '{"scope":"openid","login_hint":"alice"}', '400 invalid_request', 'application/json'],
  ['text', 'scope=openid&login_hint=alice', '400 invalid_request', 'text/plain'],
  ['more than 64 KB', `scope=openid&login_hint=alice&x=${'x'.repeat(70_000)}`, '413 invalid_request'],
  ['a megabyte', `scope=openid&login_hint=alice&x=${'x'.repeat(1_048_576)}`, '413 invalid_request'],
]

for (const [name, mounted] of Object.entries(parsers)) {
  describe(`bodies, read before us by: ${name}`, () => {
    let host: Host
    before(async () => {
      host = await startHost({ before: mounted })
    })
    after(() => host.close())

    for (const [what, body, outcome, type = form] of table) {
      // nothing to authenticate with when there is no body, so the header is left out there
      const authorization: Record<string, string> = body === '' ? {} : { authorization: clientOf({ origin: '' }).basic }
      it(`${what}: ${outcome}`, async () => {
        const answer = await clientOf(host).post('/oidc/backchannel', body, { 'content-type': type, ...authorization })
        const error = answer.status === 200 ? '' : ` ${answer.body.error}`
        expect(`${answer.status}${error}`).to.equal(outcome)
      })
    }

    it('the token endpoint reads the same', async () => {
      const client = clientOf(host)
      const { body } = await client.start()
      expect((await client.poll(body.auth_req_id)).body.error).to.equal('authorization_pending')
    })
  })
}

/** What the grants of others may hold, and ours may not (RFC 8693 2.1, RFC 7522 2.1). */
const others: Record<string, string> = {
  'a repeated parameter': 'grant_type=x&audience=a&audience=b',
  'a value of 20 KB': `grant_type=x&assertion=${'x'.repeat(20_000)}`,
  'a value of 200 KB': `grant_type=x&assertion=${'x'.repeat(200_000)}`,
  'sixty parameters': `grant_type=x&${Array.from({ length: 60 }, (_, n) => `p${n}=${n}`).join('&')}`,
}

for (const [name, mounted] of Object.entries(parsers)) {
  describe(`forms of other grants, read before us by: ${name}`, () => {
    let host: Host
    before(async () => {
      const seen: RequestHandler = (req, res) => {
        const { body } = req
        res.json(typeof body === 'string' || Buffer.isBuffer(body) ? String(body).length : body)
      }
      const parse = express.urlencoded({ extended: false, limit: '2mb' })
      host = await startHost({ before: mounted, after: (app) => app.post('/oidc/:endpoint', parse, seen) })
    })
    after(() => host.close())

    for (const [what, body] of Object.entries(others)) {
      it(`${what} reaches the host untouched`, async () => {
        const answer = await clientOf(host).post('/oidc/token', body)
        const params = new URLSearchParams(body)
        const plain = Object.fromEntries(
          [...params.keys()].map((key) => [key, params.getAll(key).length > 1 ? params.getAll(key) : params.get(key)]),
        )
        expect(answer.status).to.equal(200)
        expect(answer.body).to.deep.equal(typeof answer.body === 'number' ? body.length : plain)
      })
    }

    it('reaches the host at the revocation endpoint too, when the token is its own', async () => {
      expect((await clientOf(host).post('/oidc/revoke', 'token=theirs&x=1&x=2')).status).to.equal(200)
    })

    it('a form of ours may hold none of it', async () => {
      for (const body of Object.values(others)) {
        const form = body.replace(
          'grant_type=x',
          `grant_type=${encodeURIComponent('urn:openid:params:grant-type:ciba')}`,
        )
        expect((await clientOf(host).post('/oidc/token', form)).body.error).to.equal('invalid_request')
      }
    })

    it('nor a grant_type that comes twice, or not at all', async () => {
      for (const form of ['grant_type=x&grant_type=y', 'a=1&a=2']) {
        expect((await clientOf(host).post('/oidc/token', form)).body.error).to.equal('invalid_request')
      }
    })

    it('members with the names of methods are no fault of ours', async () => {
      const form = 'scope=openid&login_hint=alice&a[]=1&a[][toString]=2&a[][valueOf]=3'
      expect((await clientOf(host).start(form)).status).to.be.below(500)
    })
  })
}

describe('bodies on the wire', () => {
  let host: Host
  before(async () => {
    host = await startHost({
      after: (app) =>
        app.post('/oidc/token', express.urlencoded({ extended: true }), (req, res) => void res.json(req.body)),
    })
  })
  after(() => host.close())

  /** Writes a request in pieces, as slow networks do. */
  async function pieces(path: string, body: string, size: number, chunked: boolean): Promise<string> {
    const { port } = new URL(host.origin)
    const socket = connect(Number(port), '127.0.0.1').setNoDelay(true)
    const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${clientOf(host).basic}\r\nContent-Type: ${form}\r\n${length}\r\n\r\n`,
    )
    for (let at = 0; at < body.length; at += size) {
      const piece = body.slice(at, at + size)
      socket.write(chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    if (chunked) socket.write('0\r\n\r\n')
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }

  for (const chunked of [false, true]) {
    it(`come in pieces${chunked ? ', chunked' : ''}, and are read`, async () => {
      const answer = await pieces('/oidc/backchannel', 'scope=openid&login_hint=alice%40example.com', 3, chunked)
      expect(answer)
        .to.match(/^HTTP\/1\.1 200 /)
        .and.include('auth_req_id')
    })

    it(`come in pieces${chunked ? ', chunked' : ''}, and are put back for the host's own grant`, async () => {
      const answer = await pieces('/oidc/token', 'grant_type=password&username=alice&password=a%26b', 5, chunked)
      expect(answer)
        .to.match(/^HTTP\/1\.1 200 /)
        .and.include('{"grant_type":"password","username":"alice","password":"a&b"}')
    })
  }

  it('that never end are dropped without harm', async () => {
    const { port } = new URL(host.origin)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `POST /oidc/backchannel HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nContent-Length: 100\r\n\r\nscope=`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    expect((await clientOf(host).start()).status).to.equal(200)
  })

  it('that say nothing of their type are refused', async () => {
    const { status } = await fetch(`${host.origin}/oidc/backchannel`, { method: 'POST', body: new Uint8Array(5) })
    expect(status).to.equal(400)
  })

  it('that are compressed are refused', async () => {
    const headers = { authorization: clientOf(host).basic, 'content-type': form, 'content-encoding': 'gzip' }
    const { status, body } = await clientOf(host).post('/oidc/backchannel', 'scope=openid', headers)
    expect([status, body.error]).to.deep.equal([400, 'invalid_request'])
  })
})

describe('the form parser', () => {
  it('#47 looks once at a form of many names that is not ours, or no form of anybody', async () => {
    const took = async (names: number) => {
      const body = Array.from({ length: names }, (_, n) => n.toString(36)).join('&')
      const req = { headers: { 'content-type': form }, readableEnded: true, _body: true, body }
      const began = process.cpuUsage()
      await readForm(req as never, () => false)
      const { user, system } = process.cpuUsage(began)
      return user + system
    }
    await took(1000)
    const [few, many] = [await took(1_500), await took(15_000)]
    // ten times the names, well below a hundred times the work
    expect(many).to.be.below(40 * few + 20_000)
  })

  it('reads back what URLSearchParams wrote', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text !== 'resource')
    const value = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(fc.dictionary(name, value, { maxKeys: limits.parameters }), (fields) => {
        const wanted = new Map(new URLSearchParams(fields))
        expect(parse(Buffer.from(new URLSearchParams(fields).toString())).values).to.deep.equal(wanted)
      }),
    )
  })

  it('answers any bytes with a form or a refusal, never a fault', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            parse(Buffer.from(bytes))
          } catch (thrown) {
            expect(thrown).to.be.instanceOf(BackchannelError)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('takes a parsed body that is no object for an empty form', () => {
    for (const body of [undefined, null, 5, true]) expect(fromParsed(body).values.size).to.equal(0)
  })

  it('threat 45: keeps resource as the one that may be repeated', () => {
    expect(parse(Buffer.from('resource=a&resource=b')).resources).to.deep.equal(['a', 'b'])
  })
})
