import { expect } from 'chai'
import { readLoginHint } from '../../lib/protocol/request/hint.ts'

const issuer = 'https://login.example.com'
const read = (value: string) => {
  try {
    const { type, value: named } = readLoginHint(value, undefined, issuer)
    return `${type} ${named}`
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
}

describe('reading a login_hint', () => {
  for (const [value, is] of [
    ['alice@example.com', 'email alice@example.com'],
    ['+1 (555) 0100-22', 'phone +1555010022'],
    ['alice', 'user_id alice'],
    ['a@b@c', 'user_id a@b@c'],
    ['{alice}', 'user_id {alice}'],
    ['{"format":"iss_sub","iss":"https://login.example.com","sub":"alice"}', 'sub alice'],
    ['{"format":"iss_sub","iss":"https://login.example.com/","sub":"alice"}', 'sub alice'],
    ['{"format":"iss_sub","iss":"https://other.example","sub":"alice"}', 'unknown_user_id'],
    ['{"format":"iss_sub","iss":"https://login.example.com","sub":5}', 'unknown_user_id'],
    ['{"format":"email","email":"alice@example.com"}', 'invalid_request'],
  ] as const) {
    it(`takes ${value} for ${is}`, () => {
      expect(read(value)).to.equal(is)
    })
  }
})
