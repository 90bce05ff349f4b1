import { createServer, type Server } from 'node:net'
import { expect } from 'chai'
import type { OutboundOptions } from 'express-ciba'
import { createOutbound, type Outbound } from '../../lib/core/outbound/outbound.ts'
import { type Receiver, reactions, receiverCertificate, selfSigned, startReceiver } from '../helpers/receiver.ts'
import { hostileUrls } from './hostileUrls.ts'

const call = { headers: { authorization: 'Bearer secret', 'content-type': 'application/json' }, body: '{"a":1}' }

describe('outbound', () => {
  let receiver: Receiver
  const open: { close(): Promise<void> }[] = []
  const outboundOf = (options: OutboundOptions = {}): Outbound => {
    const outbound = createOutbound({ ca: receiverCertificate.cert, allow: [receiver.host], ...options })
    open.push(outbound)
    return outbound
  }
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(async () => {
    await Promise.all([receiver, ...open.splice(0)].map((each) => each.close()))
  })
  const failure = async (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      (value) => `answered ${JSON.stringify(value)}`,
      (error) => error.code ?? String(error),
    )

  it('posts headers and body, and tells the status', async () => {
    expect(await outboundOf().post(`${receiver.url}?a=b`, call)).to.deep.equal({ status: 204 })
    expect(receiver.calls[0]).to.deep.include({ method: 'POST', url: '/cb?a=b', body: '{"a":1}' })
    expect(receiver.calls[0]?.headers).to.include({ authorization: 'Bearer secret', 'content-length': '7' })
  })

  it('opens a connection for each call', async () => {
    const outbound = outboundOf()
    for (let round = 0; round < 3; round++) await outbound.post(receiver.url, call)
    expect(receiver.connections()).to.equal(3)
  })

  for (const status of [301, 302, 303, 307, 308]) {
    it(`does not follow ${status} (threat 36)`, async () => {
      const inside = await startReceiver()
      open.push(inside)
      receiver.react(reactions.redirect(status, inside.url))
      expect(await outboundOf({ allow: [receiver.host, inside.host] }).post(receiver.url, call)).to.include({ status })
      expect(inside.connections()).to.equal(0)
    })
  }

  it('reads Retry-After as seconds and as a date', async () => {
    receiver.react(reactions.wait(7), (res) =>
      res.writeHead(503, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end(),
    )
    expect(await outboundOf().post(receiver.url, call)).to.deep.equal({ status: 429, retryAfterMs: 7000 })
    expect((await outboundOf().post(receiver.url, call)).retryAfterMs).to.be.within(50_000, 60_000)
    receiver.react((res) => res.writeHead(429, { 'retry-after': 'soon' }).end())
    expect(await outboundOf().post(receiver.url, call)).to.deep.equal({ status: 429 })
  })

  describe('addresses (threats 34, 35)', () => {
    it('has sixty hostile URLs to try', () => {
      expect(hostileUrls.length).to.be.at.least(60)
    })

    for (const [url, why] of hostileUrls) {
      it(`refuses ${url} (${why})`, async () => {
        const outbound = outboundOf({ allow: [], lookup: async () => [{ address: '127.0.0.1', family: 4 }] })
        expect(await failure(outbound.post(url, call))).to.equal('forbidden')
        expect(await failure(outbound.getJson(url))).to.equal('forbidden')
        expect(receiver.connections()).to.equal(0)
      })
    }

    it('checks the address at each call: a name that moves inside is not followed', async () => {
      const answers = ['2d00::1', '127.0.0.1', '::ffff:127.0.0.1', '::1']
      let asked = 0
      const outbound = outboundOf({
        allow: [],
        connectSeconds: 0.1,
        lookup: async () => {
          const address = answers[asked++] ?? ''
          return [{ address, family: address.includes(':') ? 6 : 4 }]
        },
      })
      const results = []
      for (let round = 0; round < 4; round++)
        results.push(await failure(outbound.post('https://client.example/', call)))
      expect(results[0]).to.be.oneOf(['timeout', 'unreachable']) // a public address that nobody has: the guard lets it pass
      expect(results.slice(1)).to.deep.equal(['forbidden', 'forbidden', 'forbidden'])
      expect(asked).to.equal(4)
    })

    it('refuses a name when one of its addresses is inside', async () => {
      const lookup = async () => [
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.7', family: 4 },
      ]
      expect(await failure(outboundOf({ lookup }).post('https://client.example/', call))).to.equal('forbidden')
    })

    it('says unreachable when a name has no address', async () => {
      expect(await failure(outboundOf({ lookup: async () => [] }).post('https://client.example/', call))).to.equal(
        'unreachable',
      )
    })

    it('lets an allowed host and port be anywhere, and no other port of it', async () => {
      const lookup = async () => [{ address: '127.0.0.1', family: 4 }]
      const outbound = outboundOf({ allow: [`Client.Example:${receiver.port}`], lookup })
      expect(await outbound.post(`https://client.example:${receiver.port}/`, call)).to.include({ status: 204 })
      expect(await failure(outbound.post('https://client.example/', call))).to.equal('forbidden')
      expect(await failure(outbound.post(`https://other.example:${receiver.port}/`, call))).to.equal('forbidden')
    })

    for (const allow of ['https://pos.intranet', 'pos.intranet/cb', 'u@pos.intranet', 'a b', '']) {
      it(`does not start with the allowed host "${allow}"`, () => {
        expect(() => createOutbound({ allow: [allow] })).to.throw(TypeError, 'outbound.allow')
      })
    }
  })

  describe('TLS', () => {
    it('refuses a certificate nobody vouches for (threat 38)', async () => {
      expect(await failure(createOutbound({ allow: [receiver.host] }).post(receiver.url, call))).to.equal('unreachable')
      expect(receiver.calls).to.deep.equal([])
    })

    it('refuses a certificate for another name', async () => {
      const other = await startReceiver(selfSigned('other', 'DNS:elsewhere.example'))
      open.push(other)
      const outbound = outboundOf({ allow: [other.host] })
      expect(await failure(outbound.post(other.url, call))).to.equal('unreachable')
      expect(other.calls).to.deep.equal([])
    })

    it('shows its certificate to a receiver that asks for one', async () => {
      const ours = selfSigned('login.example.com', 'DNS:login.example.com')
      const mutual = await startReceiver({ requestCert: true, ca: ours.cert })
      open.push(mutual)
      const allow = [mutual.host]
      expect(await outboundOf({ allow, clientCertificate: ours }).post(mutual.url, call)).to.include({ status: 204 })
      expect(mutual.calls[0]?.certificate).to.equal('login.example.com')
      expect(await failure(outboundOf({ allow }).post(mutual.url, call))).to.equal('unreachable')
    })
  })

  describe('slow and large receivers (threat 37)', () => {
    it('gives up on one that hangs', async () => {
      receiver.react(reactions.hang)
      const begun = Date.now()
      expect(await failure(outboundOf({ totalSeconds: 0.3 }).post(receiver.url, call))).to.equal('timeout')
      expect(Date.now() - begun).to.be.within(250, 1500)
    })

    it('gives up on one that takes the connection and says nothing', async () => {
      const mute: Server = createServer((socket) => socket.on('error', () => {}))
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
      open.push({ close: async () => void mute.close() })
      const host = `localhost:${(mute.address() as { port: number }).port}`
      const outbound = outboundOf({ allow: [host], connectSeconds: 0.2, totalSeconds: 5 })
      const begun = Date.now()
      expect(await failure(outbound.post(`https://${host}/`, call))).to.equal('timeout')
      expect(Date.now() - begun).to.be.below(3000)
    })

    it('counts the status of one that drips, and hangs up in time', async () => {
      receiver.react(reactions.drip)
      const begun = Date.now()
      expect(await outboundOf({ totalSeconds: 0.4 }).post(receiver.url, call)).to.deep.equal({ status: 200 })
      expect(Date.now() - begun).to.be.below(1500)
    })

    it('hangs up on an endless body after a kilobyte', async () => {
      let sent = 0
      receiver.react((res) => {
        reactions.endless(res)
        res.on('close', () => {
          sent = res.socket?.bytesWritten ?? 0
        })
      })
      const begun = Date.now()
      expect(await outboundOf({ totalSeconds: 5 }).post(receiver.url, call)).to.deep.equal({ status: 200 })
      expect(Date.now() - begun).to.be.below(2000)
      expect(sent).to.be.below(20_000_000) // what fits into the socket's buffers, not what the receiver would send
    })

    it('says unreachable when the connection breaks', async () => {
      receiver.react(reactions.reset)
      expect(await failure(outboundOf().post(receiver.url, call))).to.equal('unreachable')
    })
  })

  describe('getJson', () => {
    const json = (text: string) => (res: import('node:http').ServerResponse) => void res.end(text)

    it('reads JSON', async () => {
      receiver.react(json('{"keys":[]}'))
      expect(await outboundOf().getJson(receiver.url)).to.deep.equal({ keys: [] })
      expect(receiver.calls[0]).to.include({ method: 'GET' })
    })

    for (const [what, reaction] of [
      ['another status', 404],
      ['a redirect', reactions.redirect(302, 'https://client.example/')],
      ['no JSON', json('<html>')],
      ['a name that reaches a prototype', json('{"__proto__":{"a":1}}')],
      ['more than it may be', json(`"${'x'.repeat(70_000)}"`)],
      ['no end', reactions.endless],
    ] as const) {
      it(`refuses ${what}`, async () => {
        receiver.react(reaction)
        expect(await failure(outboundOf().getJson(receiver.url))).to.equal('bad_answer')
      })
    }

    it('gives up on one that drips', async () => {
      receiver.react(reactions.drip)
      expect(await failure(outboundOf({ totalSeconds: 0.3 }).getJson(receiver.url))).to.equal('timeout')
    })
  })
})
