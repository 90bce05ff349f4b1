import { expect } from 'chai'
import { type BackchannelOptions, createBackchannel, createBackchannelRouter, memoryStore } from 'express-ciba'
import { defaultPaths } from '../lib/options/paths.ts'
import { contextFor } from './helpers/context.ts'
import { privateJwk } from './helpers/tokens.ts'

const good: BackchannelOptions = {
  issuer: 'https://login.example.com',
  clients: { find: () => undefined },
  users: { find: () => undefined },
  session: { current: () => undefined, loginUrl: () => '/login' },
  logger: { info() {}, warn() {}, error() {} },
}

/** Options as a JavaScript host might write them: anything goes. */
const make = (changes: Record<string, unknown>) => () =>
  createBackchannelRouter({ ...good, ...changes } as BackchannelOptions)

describe('options', () => {
  it('are fine as the README shows them', () => {
    expect(make({})).not.to.throw()
  })

  const mistakes: [string, Record<string, unknown>, RegExp][] = [
    ['a missing issuer', { issuer: undefined }, /option "issuer" is missing; it must be an https URL/],
    ['an http issuer', { issuer: 'http://login.example.com' }, /option "issuer" must be an https URL/],
    ['an issuer with a query', { issuer: 'https://login.example.com/?a=b' }, /option "issuer" must be an https URL/],
    ['clients that cannot be found', { clients: [] }, /option "clients" must be an object with a function "find"/],
    ['missing users', { users: undefined }, /option "users" must be an object with a function "find"/],
    [
      'a session without current',
      { session: { loginUrl() {} } },
      /option "session" must be an object with the functions/,
    ],
    ['channels without a session', { session: undefined, channels: [linkLike('link')] }, /option "session" is missing/],
    [
      'a channel named twice',
      { channels: [linkLike('sms'), linkLike('sms')] },
      /option "channels" must not name a channel twice/,
    ],
    ['a store of another kind', { store: new Map() }, /option "store" must be a store: keyvStore/],
    ['an empty key set', { keys: { keys: [] } }, /option "keys" must be a JWK Set/],
    ['a symmetric key', { keys: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, /option "keys" has a key of type "oct"/],
    [
      'public keys only',
      { keys: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] } },
      /option "keys" has no private key/,
    ],
    [
      'two keys of one name',
      { keys: { keys: [privateJwk('P-256', { kid: 'a' }), privateJwk('P-256', { kid: 'a' })] } },
      /option "keys" has two keys with the same kid/,
    ],
    [
      'a key on a curve for other things',
      { keys: { keys: [{ kty: 'OKP', crv: 'X25519', x: 'a', d: 'b' }] } },
      /option "keys" has a key on the curve "X25519", which cannot sign/,
    ],
    [
      'a key whose alg is of another curve',
      { keys: { keys: [privateJwk('P-256', { alg: 'ES384' })] } },
      /option "keys" has a key that cannot sign with its alg, "ES384"/,
    ],
    [
      'an RSA key without its parts',
      { keys: { keys: [{ kty: 'RSA', e: 'AQAB' }] } },
      /option "keys" has an RSA key of less than 2048 bits/,
    ],
    [
      'a key that is garbage',
      { keys: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'secret' }] } },
      /option "keys" has a key that cannot be read$/,
    ],
    ['a short secret', { secret: 'short' }, /option "secret" must have at least 32 bytes/],
    ['a typing slip', { isuer: 'https://login.example.com' }, /unknown option "isuer"; check the spelling/],
    ['a hold that is too long', { polling: { holdSeconds: 31 } }, /option "polling.holdSeconds" must be at most 30/],
    ['a slip inside', { paths: { tokn: '/t' } }, /unknown option "tokn" in "paths"/],
    ['a path without a slash', { paths: { token: 'oidc/token' } }, /option "paths.token" must start with a slash/],
    [
      'two routes in one place',
      { paths: { token: '/oidc/backchannel' } },
      /option "paths" gives two routes the same path/,
    ],
    [
      'a fraction of a second',
      { requests: { expirySeconds: 1.5 } },
      /option "requests.expirySeconds" must be a whole number of seconds/,
    ],
    [
      'a pause too long for a timer',
      { notices: { retrySeconds: [3_000_000] } },
      /option "notices.retrySeconds.0" must be 24 days at most/,
    ],
    ['no interval', { polling: { intervalSeconds: 0 } }, /option "polling.intervalSeconds" must be more than 0/],
    ['a grace too short', { requests: { graceSeconds: 5 } }, /option "requests.graceSeconds" must be at least 60/],
    ['scopes without openid', { requests: { scopes: ['email'] } }, /option "requests.scopes" must contain "openid"/],
    [
      'an unknown policy',
      { requests: { bindingMessage: 'anything' } },
      /option "requests.bindingMessage" must be "printable", /,
    ],
    ['an issuer with a space', { issuer: ' https://login.example.com' }, /option "issuer" must be an https URL/],
    [
      'a hook of the users that is none',
      { users: { find() {}, isActive: true } },
      /option "users" must have functions as isActive/,
    ],
    [
      'a hook of the session that is none',
      { session: { current() {}, loginUrl() {}, verifyToken: 'x' } },
      /option "session" must have a function as verifyToken/,
    ],
    ['a channel without a name', { channels: [{ address() {}, send() {} }] }, /option "channels.0" must have a name/],
    ['a channel that nobody can name', { channels: [linkLike('my sms')] }, /option "channels.0" must have a name/],
    ['something that is no channel', { channels: ['sms'] }, /option "channels.0" must be a channel/],
    [
      'a store without refresh tokens',
      { store: { ...memoryStore(), rotate: undefined } },
      /option "store" must be a store/,
    ],
    [
      'a file name for PEM text',
      { delivery: { outbound: { ca: '/etc/ca.pem' } } },
      /option "delivery.outbound.ca" must be PEM text/,
    ],
    [
      'a key that is no PEM text',
      { delivery: { outbound: { clientCertificate: { cert: '-----BEGIN ', key: 'key.pem' } } } },
      /option "delivery.outbound.clientCertificate.key" must be PEM text/,
    ],
    ['sentences that are none', { page: { texts: { en: null } } }, /option "page.texts" must be sentences by language/],
    [
      'a function where 0.1 had one',
      { clients: () => undefined },
      /option "clients" must be .* find: \(\{ clientId \}\)/,
    ],
    ['a name of 0.1', { expirySeconds: 600 }, /option "expirySeconds" has moved: it is "requests.expirySeconds" now/],
    ['a group of 0.1', { longPoll: { holdSeconds: 5 } }, /option "longPoll" has moved: it is "polling" now/],
    [
      'a name of 0.1 inside',
      { page: { choices: true } },
      /option "page.choices" has moved: it is "approval.choices" now/,
    ],
    [
      'a name of 0.1 deep inside',
      { delivery: { outbound: { totalMs: 500 } } },
      /option "delivery.outbound.totalMs" has moved: it is "delivery.outbound.totalSeconds" now/,
    ],
    ['a limit below none', { limits: { promptsPerUser: -1 } }, /option "limits.promptsPerUser" must be 0 or more/],
    ['a limit misspelt', { limits: { promptPerUser: 1 } }, /unknown option "promptPerUser" in "limits"/],
    ['limits of another kind', { limits: true }, /option "limits" must be limits by name, or false/],
    ['a secret of another kind', { secret: 5 }, /option "secret" must be text or bytes/],
    ['no time for hooks', { timeoutSeconds: 0 }, /option "timeoutSeconds" must be more than 0/],
    [
      'user codes that nobody checks',
      { requests: { userCodes: true } },
      /option "users.checkUserCode" is missing: "requests.userCodes" needs it/,
    ],
    ['an unknown delivery mode', { delivery: { modes: ['pull'] } }, /option "delivery\.modes\.0"/],
  ]
  for (const [what, changes, message] of mistakes) {
    it(`stop the start: ${what}`, () => {
      expect(make(changes)).to.throw(TypeError, message)
    })
  }

  it('every path can be changed', () => {
    const paths = Object.fromEntries(Object.keys(defaultPaths).map((name) => [name, `/moved/${name}`]))
    const { urls } = contextFor({ paths })
    for (const name of Object.keys(paths))
      expect(urls).to.have.property(name, `https://login.example.com/moved/${name}`)
  })

  it('give secrets as text or bytes', () => {
    for (const secret of ['x'.repeat(32), new Uint8Array(32).fill(7)]) expect(make({ secret })).not.to.throw()
    expect(make({ secret: new Uint8Array(31) })).to.throw(TypeError, /option "secret" must have at least 32 bytes/)
  })

  it('may be an engine that was made before', () => {
    const engine = createBackchannel(good)
    expect(createBackchannelRouter(engine).backchannel).to.equal(engine)
  })

  it('may be no object at all, and the start says so', () => {
    expect(() => createBackchannelRouter(JSON.parse('{}'))).to.throw(TypeError, /option "issuer" is missing/)
    for (const none of ['null', '5', '"https://login.example.com"'])
      expect(() => createBackchannelRouter(JSON.parse(none))).to.throw(TypeError, /the options must be an object/)
  })
})

function linkLike(name: string) {
  return { name, address: () => '', send() {} }
}
