import { expect } from 'chai'
import { readCompletion } from '../../lib/authlete/completion.ts'

const yes = { result: 'AUTHORIZED', subject: 'alice' }
const no = { result: 'ACCESS_DENIED' }

describe('reading a completion in Authlete’s words', () => {
  it('takes every member of Authlete, objects as JSON text too', () => {
    const decision = readCompletion({
      result: 'AUTHORIZED',
      subject: 'alice',
      sub: 'public-name',
      authTime: 1_700_000_000,
      acr: 'urn:acr',
      claims: '{"given_name":"Alice","nested":{"a":[1,null]}}',
      properties: [
        { key: 'shown', value: '1' },
        { key: 'kept', value: '2', hidden: true },
      ],
      scopes: ['openid'],
      idtHeaderParams: { region: 'eu' },
      consentedClaims: ['given_name'],
      jwtAtClaims: '{"tenant":"t1"}',
      accessToken: 'a'.repeat(32),
      accessTokenDuration: 60,
      refreshTokenDuration: 0,
      idTokenAudType: 'array',
    })
    expect(decision).to.deep.equal({
      result: 'approved',
      sub: 'alice',
      authTime: 1_700_000_000,
      acr: 'urn:acr',
      scope: ['openid'],
      accessToken: 'a'.repeat(32),
      tokens: {
        idTokenSub: 'public-name',
        claims: { given_name: 'Alice', nested: { a: [1, null] } },
        properties: [
          { key: 'shown', value: '1' },
          { key: 'kept', value: '2', hidden: true },
        ],
        idTokenHeader: { region: 'eu' },
        consentedClaims: ['given_name'],
        accessTokenClaims: { tenant: 't1' },
        accessTokenSeconds: 60,
        idTokenAudType: 'array',
      },
    })
  })

  it('takes refusals with a description and a URI', () => {
    const decision = readCompletion({
      ...no,
      subject: 'alice',
      errorDescription: 'No.',
      errorUri: 'https://a.example/no',
    })
    expect(decision).to.deep.equal({
      result: 'denied',
      by: 'alice',
      errorDescription: 'No.',
      errorUri: 'https://a.example/no',
    })
    expect(readCompletion({ result: 'TRANSACTION_FAILED', subject: 'x' })).to.deep.equal({
      result: 'failed',
    })
  })

  for (const [what, value, says] of [
    ['an unknown result', { ...yes, result: 'MAYBE' }, 'result must be AUTHORIZED'],
    ['no subject', { ...yes, subject: undefined }, 'subject is missing'],
    ['an unknown member', { ...yes, scope: ['openid'] }, 'unknown member scope'],
    ['a sub that is not ASCII', { ...yes, sub: 'ålice' }, 'sub must be 1 to 255 ASCII'],
    ['milliseconds', { ...yes, authTime: 1_700_000_000_000 }, 'authTime must be epoch seconds, not milliseconds'],
    ['a fraction', { ...yes, accessTokenDuration: 1.5 }, 'accessTokenDuration must be a whole number'],
    ['claims that are no object', { ...yes, claims: '[1]' }, 'claims must be a JSON object'],
    ['claims that are null', { ...yes, claims: null }, 'claims must be a JSON object'],
    ['claims without measure', { ...yes, claims: { a: Array(1000).fill(0) } }, 'it has more than 1000 values'],
    ['claims that are no JSON', { ...yes, claims: '{' }, 'claims must be a JSON object'],
    [
      'a prototype in claims',
      { ...yes, claims: '{"__proto__":{"a":1}}' },
      'claims must be a JSON object: it has a member',
    ],
    ['claims without end', { ...yes, claims: cyclic() }, 'claims must be a JSON object'],
    ['iss in claims', { ...yes, claims: { iss: 'x' } }, 'claims must not set "iss"'],
    ['at_hash in claims', { ...yes, claims: '{"at_hash":"x"}' }, 'claims must not set "at_hash"'],
    ['nonce in claims', { ...yes, claims: { nonce: 'x' } }, 'claims must not set "nonce"'],
    ['aud in jwtAtClaims', { ...yes, jwtAtClaims: { aud: 'x' } }, 'jwtAtClaims must not set "aud"'],
    ['cnf in jwtAtClaims', { ...yes, jwtAtClaims: { cnf: {} } }, 'jwtAtClaims must not set "cnf"'],
    ['alg in the header', { ...yes, idtHeaderParams: { alg: 'none' } }, 'idtHeaderParams must not set "alg"'],
    ['kid in the header', { ...yes, idtHeaderParams: '{"kid":"x"}' }, 'idtHeaderParams must not set "kid"'],
    ['crit in the header', { ...yes, idtHeaderParams: { crit: ['x'] } }, 'idtHeaderParams must not set "crit"'],
    ['jwk in the header', { ...yes, idtHeaderParams: { jwk: {} } }, 'idtHeaderParams must not set "jwk"'],
    ['scopes without openid', { ...yes, scopes: ['email'] }, 'scopes must keep "openid"'],
    ['a scope with a space', { ...yes, scopes: ['openid', 'a b'] }, 'scopes.1 must hold scope values'],
    [
      'a property in place of a token',
      { ...yes, properties: [{ key: 'access_token', value: 'x' }] },
      'properties must not replace',
    ],
    [
      'a property twice',
      { ...yes, properties: [1, 2].map((n) => ({ key: 'a', value: `${n}` })) },
      'properties must not name a key twice',
    ],
    [
      'a property that is no text',
      { ...yes, properties: [{ key: 'a', value: 1 }] },
      'properties.0.value must be a string',
    ],
    [
      'large properties',
      { ...yes, properties: [{ key: 'a', value: 'x'.repeat(20_000) }] },
      'properties must have 16384 characters',
    ],
    ['a guessable access token', { ...yes, accessToken: 'guess' }, 'accessToken must be at least 32 characters'],
    [
      'an access token with a space',
      { ...yes, accessToken: 'a '.repeat(20) },
      'accessToken must be at least 32 characters',
    ],
    ['another type of aud', { ...yes, idTokenAudType: 'object' }, 'idTokenAudType must be "array" or "string"'],
    [
      'a quotation mark in a description',
      { ...no, errorDescription: 'a "b"' },
      'errorDescription must be printable ASCII',
    ],
    ['a line break in a description', { ...no, errorDescription: 'a\nb' }, 'errorDescription must be printable ASCII'],
    ['a space in a URI', { ...no, errorUri: 'https://a b' }, 'errorUri must be a URI'],
    ['text', 'AUTHORIZED', 'must be an object'],
  ] as const) {
    it(`refuses ${what}, and says so`, () => {
      expect(() => readCompletion(value))
        .to.throw(says)
        .with.include({ code: 'invalid_request', status: 400 })
    })
  }
})

function cyclic(): object {
  const value: Record<string, unknown> = {}
  value.self = value
  return value
}
