import { sign } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import type { ClientMetadata, Jwk } from 'express-ciba'
import fc from 'fast-check'
import { OutboundError, targetOf } from '../../lib/core/outbound/outbound.ts'
import { clientOf } from '../helpers/client.ts'
import { deviceOf } from '../helpers/device.ts'
import { clients, type Host, startHost } from '../helpers/host.ts'
import { keyPair } from '../helpers/keys.ts'

const numRuns = Number(process.env.FUZZ_RUNS ?? 150)
const pair = keyPair('P-256')
const alice = { scope: 'openid', login_hint: 'alice@example.com' }
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
const json = fc.oneof(
  fc.json(),
  fc.json().map((value) => value.slice(0, -1)),
  text,
)

describe('whatever is sent, the answer is a refusal or a result, never a fault', function () {
  this.timeout(60_000)
  let host: Host
  let client: ReturnType<typeof clientOf>
  before(async () => {
    const signer: ClientMetadata = {
      client_id: 'signer',
      token_endpoint_auth_method: 'private_key_jwt',
      backchannel_token_delivery_mode: 'poll',
      backchannel_authentication_request_signing_alg: 'ES256',
      jwks: { keys: [pair.publicKey.export({ format: 'jwk' }) as Jwk] },
    }
    host = await startHost({
      clients: { find: ({ clientId: id }) => [...clients, signer].find(({ client_id }) => client_id === id) },
    })
    client = clientOf(host)
  })
  after(() => host.close())
  afterEach(() => {
    expect(host.events.filter(({ type }) => type === 'fault' || type === 'outage')).to.deep.equal([])
    // mocha itself fails on a rejection that nobody handles
  })

  const always = <T>(values: fc.Arbitrary<T>, step: (value: T) => Promise<void>) =>
    fc.assert(fc.asyncProperty(values, step), { numRuns })
  const codes = [
    'invalid_request',
    'invalid_scope',
    'invalid_target',
    'invalid_binding_message',
    'invalid_authorization_details',
    'unknown_user_id',
    'expired_login_hint_token',
  ]
  const endsWell = async (form: Record<string, string>) => {
    const { status, body } = await client.start({ ...alice, ...form })
    if (status !== 200) expect([status, body.error]).to.deep.equal([400, codes.find((code) => code === body.error)])
    else expect(body.auth_req_id).to.be.a('string')
  }

  it('request_context', () => always(json, (request_context) => endsWell({ request_context })))

  it('members of request_context', () => {
    const context = fc.record(
      {
        channel: fc.oneof(fc.constantFrom('sms', 'email', 'link'), fc.jsonValue()),
        login_hint_type: fc.oneof(fc.constantFrom('email', 'phone_number', 'user_id'), fc.jsonValue()),
        custom_message: fc.oneof(text, fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    return always(context, (members) => endsWell({ request_context: JSON.stringify(members) }))
  })

  it('binding_message', () => always(text, (binding_message) => endsWell({ binding_message })))

  it('every other parameter', () => {
    const names = ['scope', 'login_hint', 'login_hint_token', 'id_token_hint', 'user_code', 'requested_expiry']
    const more = ['acr_values', 'claims', 'authorization_details', 'resource', 'dpop_jkt', 'client_notification_token']
    return always(fc.dictionary(fc.constantFrom(...names, ...more), json, { minKeys: 1, maxKeys: 3 }), async (form) => {
      const { status, body } = await client.start({ ...alice, ...form })
      expect(status, JSON.stringify(body)).to.be.oneOf([200, 400])
    })
  })

  describe('JWTs', () => {
    const now = () => Math.floor(Date.now() / 1000)
    const part = fc.oneof(
      fc.json().map((value) => Buffer.from(value).toString('base64url')),
      fc.string(),
    )
    const garbage = fc.tuple(part, part, part).map((parts) => parts.join('.'))
    /** What is plausible, with some members that are not. */
    const nearly = (members: readonly string[]) =>
      fc.dictionary(fc.constantFrom(...members), fc.oneof(fc.jsonValue(), text), { maxKeys: 3 })
    const header = nearly(['alg', 'typ', 'kid', 'jwk', 'crit', 'b64', 'x5c', 'jku'])
    const signed = (header: object, claims: object) => {
      const input = [header, claims].map((each) => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.')
      const signature = sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    }
    const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const assertion = (changes: object = {}, header: object = {}) =>
      signed(
        { alg: 'ES256', ...header },
        {
          iss: 'signer',
          sub: 'signer',
          aud: host.origin,
          exp: now() + 60,
          iat: now(),
          jti: crypto.randomUUID(),
          ...changes,
        },
      )
    const asSigner = (form: Record<string, string>, client_assertion = assertion(), headers = {}) =>
      client.post('/oidc/backchannel', { ...form, client_assertion, client_assertion_type: assertionType }, headers)

    it('that are none', () =>
      always(garbage, async (jwt) => {
        expect((await client.start({ scope: 'openid', id_token_hint: jwt })).status).to.equal(400)
        expect((await asSigner({ request: jwt })).status).to.equal(400)
        expect((await asSigner(alice, jwt)).status).to.be.oneOf([400, 401])
      }))

    it('of requests', () => {
      const members = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub', 'scope', 'login_hint', 'resource', 'claims']
      const more = [
        'request_context',
        'requested_expiry',
        'binding_message',
        'acr_values',
        'authorization_details',
        'request',
      ]
      return always(fc.tuple(nearly([...members, ...more]), header), async ([changes, header]) => {
        const times = { iat: now(), nbf: now(), exp: now() + 60, jti: crypto.randomUUID() }
        const claims = { ...alice, iss: 'signer', aud: host.origin, ...times, ...changes }
        const { status, body } = await asSigner({ request: signed({ alg: 'ES256', ...header }, claims) })
        expect(status, JSON.stringify([changes, header, body])).to.be.oneOf([200, 400])
      })
    })

    it('of clients', () =>
      always(fc.tuple(nearly(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']), header), async ([changes, header]) => {
        const { status, body } = await asSigner(alice, assertion(changes, header))
        expect([status, body.error]).to.deep.equal(status === 200 ? [200, undefined] : [401, 'invalid_client'])
      }))

    it('of keys', () =>
      always(
        fc.tuple(nearly(['htm', 'htu', 'iat', 'jti', 'ath', 'nonce', 'exp']), header),
        async ([changes, header]) => {
          const jwk = pair.publicKey.export({ format: 'jwk' })
          const htu = `${host.origin}/oidc/backchannel`
          const claims = { htm: 'POST', htu, iat: now(), jti: crypto.randomUUID(), ...changes }
          const dpop = signed({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header }, claims)
          const { status, body } = await client.start(alice, { authorization: client.basic, dpop })
          expect(body.error).to.be.oneOf([undefined, 'invalid_dpop_proof'])
          expect(status).to.equal(body.error === undefined ? 200 : 400)
        },
      ))
  })

  it('bodies of the completion endpoint', async () => {
    const { auth_req_id } = (await client.start()).body
    const members = fc.dictionary(
      fc.constantFrom(
        'approved',
        'result',
        'scopes',
        'claims',
        'subject',
        'amr',
        'acr',
        'auth_time',
        'reason',
        '__proto__',
      ),
      fc.jsonValue(),
      { minKeys: 1 },
    )
    // `approved` is text at most: none of these may decide
    const body = fc.oneof(
      json,
      members.map((given) => JSON.stringify({ ...given, auth_req_id, approved: 'maybe', result: undefined })),
      fc.json().map((value) => JSON.stringify({ auth_req_id: value, approved: true })),
    )
    await always(body, async (sent) => {
      const { status } = await client.complete(sent)
      expect(status, sent).to.be.oneOf([400, 404])
    })
    expect((await client.poll(auth_req_id)).body.error).to.equal('authorization_pending')
  })

  it('auth_req_ids', () =>
    always(text, async (handle) => {
      const { status, body } = await client.poll(handle)
      expect(status).to.equal(400)
      expect(body.error).to.be.oneOf(['invalid_grant', 'invalid_request'])
    }))

  it('tokens that are none of ours, which are left to the host', () =>
    always(text, async (token) => {
      const refreshed = await client.post('/oidc/token', { grant_type: 'refresh_token', refresh_token: token })
      const revoked = await client.post('/oidc/revoke', { token })
      expect([refreshed.status, revoked.status]).to.deep.equal([404, token === '' ? 400 : 404])
    }))

  it('links', () =>
    always(text, async (handle) => {
      const device = deviceOf('alice')
      const page = await device.go(`${host.origin}/auth/backchannel/approve?r=${inUrl(handle)}`)
      expect(page.status).to.be.below(500)
      const below = await device.go(`${host.origin}/auth/backchannel/approve/${inUrl(handle)}`, {
        method: 'POST',
        body: new URLSearchParams({ csrf: handle, action: handle }),
      })
      expect(below.status).to.be.within(300, 499)
    }))

  it('request lines and headers that no library would write', async () => {
    const paths = ['/oidc/backchannel', '/oidc/token', '/auth/backchannel/approve', '/auth/backchannel/complete']
    // as bytes: anything but the end of a line
    const bytes = fc
      .uint8Array({ maxLength: 60 })
      .map((given) => Buffer.from(given.filter((byte) => byte !== 10 && byte !== 13)).toString('latin1'))
    const request = fc.record({ path: fc.constantFrom(...paths), query: bytes, name: bytes, value: bytes })
    await always(request, async ({ path, query, name, value }) => {
      const lines = [
        `POST ${path}?${query} HTTP/1.1`,
        'Host: x',
        'Connection: close',
        'Content-Length: 0',
        `Authorization: ${value}`,
        `Cookie: ${name}=${value}`,
        `DPoP: ${value}`,
        `Accept-Language: ${value}`,
        `Content-Type: application/x-www-form-urlencoded; ${value}`,
      ]
      expect(await rawStatus(host, `${lines.join('\r\n')}\r\n\r\n`)).to.be.within(300, 499)
    })
  })

  it('URLs to call', () => {
    const url = fc.oneof(
      text,
      text.map((rest) => `https://${rest}`),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.ipV4Extended().map((address) => `https://${address}/`),
      fc.ipV6().map((address) => `https://[${address}]/`),
    )
    fc.assert(
      fc.property(url, (given) => {
        try {
          expect(targetOf(given, new Set()).origin).to.match(/^https:\/\/[^:@]+$|^https:\/\/\[[\da-f:]+\]$/)
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(OutboundError)
        }
      }),
      { numRuns: numRuns * 10 },
    )
  })
})

/** In a URL, also what is no well-formed text. */
const inUrl = (value: string) => new URLSearchParams({ value }).toString().slice('value='.length)

/** The status of the answer to these bytes. */
async function rawStatus({ origin }: Host, request: string): Promise<number> {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
  })
  socket.write(request, 'latin1')
  await once(socket, 'close')
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
}
