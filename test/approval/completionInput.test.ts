import { expect } from 'chai'
import type { ApproveInput, DenyInput, FailInput } from 'express-ciba'
import { readApprove, readDeny, readFail } from '../../lib/protocol/approval/completionInput.ts'

const request = 'id'
const alice = { sub: 'alice' }
const yes = { request, by: alice }
const approve = (value: unknown) => () => readApprove(value as ApproveInput)
const deny = (value: unknown) => () => readDeny(value as DenyInput)
const fail = (value: unknown) => () => readFail(value as FailInput)

describe('reading an approval, a denial and a failure', () => {
  it('takes every member, objects as JSON text too', () => {
    const tokens = {
      idTokenSub: 'public-name',
      claims: '{"given_name":"Alice","nested":{"a":[1,null]}}' as never,
      properties: [
        { key: 'shown', value: '1' },
        { key: 'kept', value: '2', hidden: true },
      ],
      idTokenHeader: { region: 'eu' },
      consentedClaims: ['given_name'],
      accessTokenClaims: '{"tenant":"t1"}' as never,
      accessToken: 'a'.repeat(32),
      accessTokenSeconds: 60,
      refreshTokenSeconds: 0,
      idTokenSeconds: 120,
      idTokenAudType: 'array',
    } as const
    const by = { sub: 'alice', authTime: 1_700_000_000, acr: 'urn:acr', amr: ['pwd'], email: 'alice@example.com' }
    const authorizationDetails = [{ type: 'payment', amount: 5 }]
    const resources = ['https://api.example']
    const read = readApprove({ request, by, scope: ['openid'], authorizationDetails, resources, tokens })
    expect(read).to.deep.equal({
      request: 'id',
      decision: {
        result: 'approved',
        sub: 'alice',
        authTime: 1_700_000_000,
        acr: 'urn:acr',
        amr: ['pwd'],
        scope: ['openid'],
        authorizationDetails,
        resources,
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
          idTokenSeconds: 120,
          idTokenAudType: 'array',
        },
      },
    })
  })

  it('takes an approval of little more than a name', () => {
    const decision = { result: 'approved', sub: 'alice' }
    expect(readApprove(yes)).to.deep.equal({ request: 'id', decision })
    expect(readApprove({ ...yes, by: { sub: 'alice', authTime: 0 }, tokens: {} })).to.deep.equal({
      request: 'id',
      decision,
    })
  })

  it('takes refusals with a reason, a description and a URI', () => {
    const errorUri = 'https://a.example/no'
    const refusal = { reason: 'user', errorDescription: 'No.', errorUri }
    expect(readDeny({ request, by: alice, ...refusal })).to.deep.equal({
      request: 'id',
      decision: { result: 'denied', by: 'alice', ...refusal },
    })
    expect(readDeny({ request }).decision).to.deep.equal({ result: 'denied' })
    expect(readFail({ request, ...refusal }).decision).to.deep.equal({ result: 'failed', ...refusal })
  })

  const tokens = (value: object) => approve({ ...yes, tokens: value })
  for (const [what, reading, says] of [
    ['no name of the request', approve({ by: alice }), 'request must be a string'],
    ['a name that is no text', deny({ request: 5 }), 'request must be a string'],
    ['no user', approve({ request }), 'by is missing: say who agreed'],
    ['a user that is a name', approve({ request, by: 'alice' }), 'by must be an object'],
    ['a user without sub', approve({ request, by: {} }), 'by.sub must be a string'],
    ['a denial by a name', deny({ request, by: 'alice' }), 'by must be an object'],
    ['an unknown member', approve({ ...yes, scopes: ['openid'] }), 'unknown member scopes'],
    ['an unknown member of tokens', tokens({ accessTokenDuration: 60 }), 'unknown member accessTokenDuration'],
    ['an unknown member of a denial', deny({ request, subject: 'alice' }), 'unknown member subject'],
    ['a user who fails', fail({ request, by: alice, reason: 'x' }), 'unknown member by'],
    ['no reason of a failure', fail({ request }), 'reason must be a string'],
    ['a reason that is a story', fail({ request, reason: 'x'.repeat(256) }), 'reason must have 255 characters at most'],
    ['a sub that is not ASCII', tokens({ idTokenSub: 'ålice' }), 'tokens.idTokenSub must be 1 to 255 ASCII'],
    [
      'milliseconds',
      approve({ request, by: { ...alice, authTime: 1_700_000_000_000 } }),
      'by.authTime must be epoch seconds, not milliseconds',
    ],
    ['a fraction', tokens({ accessTokenSeconds: 1.5 }), 'tokens.accessTokenSeconds must be a whole number'],
    ['claims that are no object', tokens({ claims: '[1]' }), 'tokens.claims must be a JSON object'],
    ['claims that are null', tokens({ claims: null }), 'tokens.claims must be a JSON object'],
    ['claims without measure', tokens({ claims: { a: Array(1000).fill(0) } }), 'it has more than 1000 values'],
    ['claims that are no JSON', tokens({ claims: '{' }), 'tokens.claims must be a JSON object'],
    [
      'a prototype in claims',
      tokens({ claims: '{"__proto__":{"a":1}}' }),
      'tokens.claims must be a JSON object: it has a member',
    ],
    ['claims without end', tokens({ claims: cyclic() }), 'tokens.claims must be a JSON object'],
    ['iss in claims', tokens({ claims: { iss: 'x' } }), 'tokens.claims must not set "iss"'],
    ['at_hash in claims', tokens({ claims: '{"at_hash":"x"}' }), 'tokens.claims must not set "at_hash"'],
    ['nonce in claims', tokens({ claims: { nonce: 'x' } }), 'tokens.claims must not set "nonce"'],
    ['aud in access tokens', tokens({ accessTokenClaims: { aud: 'x' } }), 'accessTokenClaims must not set "aud"'],
    ['cnf in access tokens', tokens({ accessTokenClaims: { cnf: {} } }), 'accessTokenClaims must not set "cnf"'],
    ['alg in the header', tokens({ idTokenHeader: { alg: 'none' } }), 'idTokenHeader must not set "alg"'],
    ['kid in the header', tokens({ idTokenHeader: '{"kid":"x"}' }), 'idTokenHeader must not set "kid"'],
    ['crit in the header', tokens({ idTokenHeader: { crit: ['x'] } }), 'idTokenHeader must not set "crit"'],
    ['jwk in the header', tokens({ idTokenHeader: { jwk: {} } }), 'idTokenHeader must not set "jwk"'],
    ['a scope without openid', approve({ ...yes, scope: ['email'] }), 'scope must keep "openid"'],
    ['a scope with a space', approve({ ...yes, scope: ['openid', 'a b'] }), 'scope.1 must hold scope values'],
    [
      'a property in place of a token',
      tokens({ properties: [{ key: 'access_token', value: 'x' }] }),
      'tokens.properties must not replace',
    ],
    [
      'a property twice',
      tokens({ properties: [1, 2].map((n) => ({ key: 'a', value: `${n}` })) }),
      'tokens.properties must not name a key twice',
    ],
    [
      'a property that is no text',
      tokens({ properties: [{ key: 'a', value: 1 }] }),
      'tokens.properties.0.value must be a string',
    ],
    [
      'large properties',
      tokens({ properties: [{ key: 'a', value: 'x'.repeat(20_000) }] }),
      'tokens.properties must have 16384 characters',
    ],
    ['a guessable access token', tokens({ accessToken: 'guess' }), 'tokens.accessToken must be at least 32 characters'],
    [
      'an access token with a space',
      tokens({ accessToken: 'a '.repeat(20) }),
      'tokens.accessToken must be at least 32 characters',
    ],
    ['another type of aud', tokens({ idTokenAudType: 'object' }), 'tokens.idTokenAudType must be "array" or "string"'],
    ['details without a type', approve({ ...yes, authorizationDetails: [{}] }), 'authorizationDetails.0.type'],
    [
      'a quotation mark in a description',
      deny({ request, errorDescription: 'a "b"' }),
      'errorDescription must be printable ASCII',
    ],
    [
      'a line break in a description',
      fail({ request, reason: 'x', errorDescription: 'a\nb' }),
      'errorDescription must be printable ASCII',
    ],
    ['a space in a URI', deny({ request, errorUri: 'https://a b' }), 'errorUri must be a URI'],
    ['text', approve('AUTHORIZED'), 'must be an object'],
    ['nothing', approve(undefined), 'must be an object'],
  ] as const) {
    it(`refuses ${what}, and says so`, () => {
      expect(reading).to.throw(`The completion: `)
      expect(reading).to.throw(says).with.include({ code: 'invalid_request', status: 400 })
    })
  }
})

function cyclic(): object {
  const value: Record<string, unknown> = {}
  value.self = value
  return value
}
