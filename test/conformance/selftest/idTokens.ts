import { createHash } from 'node:crypto'
import { CompactEncrypt, CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Background, idToken } from '../checks/idToken.ts'
import { refreshed, refreshTokenText } from '../checks/refreshed.ts'
import type { Case } from './cases.ts'
import { sees } from './cases.ts'

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const other = await generateKeyPair('ES256')
const rsa = await generateKeyPair('RSA-OAEP-256', { extractable: true })
const key: JWK = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
const now = Math.floor(Date.now() / 1000)
const accessToken = 'Tm90aGluZyB0byBzZWUgaGVyZQ'
const atHash = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
const good = { iss: 'https://op.example', aud: 'client', sub: 'alice', iat: now, exp: now + 60 }

interface Making {
  readonly claims?: object
  readonly header?: { alg?: string; kid?: string }
  readonly sign?: typeof privateKey
  readonly background?: Partial<Background>
}

async function judged({ claims = {}, header = {}, sign = privateKey, background = {} }: Making) {
  const id_token = await signed({ ...good, ...claims }, header, sign)
  return idToken(given({ response: { access_token: accessToken, id_token }, ...background }))
}

function given(more: Partial<Background>): Background {
  return { issuer: good.iss, jwks: [key], clientId: 'client', clientKeys: [], now, response: {}, ...more }
}

function signed(claims: object, header: object = {}, sign = privateKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
    .sign(sign)
}

async function encrypted(header: object, clientKeys: readonly JWK[]) {
  const id_token = await new CompactEncrypt(Buffer.from(await signed(good)))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', ...header })
    .encrypt(rsa.publicKey)
  return idToken(given({ response: { id_token }, clientKeys }))
}
const decryptionKey: JWK = { ...(await exportJWK(rsa.privateKey)), kid: 'enc', alg: 'RSA-OAEP-256', use: 'enc' }

async function es384() {
  const { privateKey: larger } = await generateKeyPair('ES384')
  return judged({ header: { alg: 'ES384' }, sign: larger })
}

const wrong = (check: Case['check'], claims: Readonly<Record<string, unknown>>, background?: Partial<Background>) =>
  sees(check, JSON.stringify(claims), () => judged({ claims, ...(background === undefined ? {} : { background }) }))

export const idTokens: readonly Case[] = [
  sees('nothing', 'a good ID token', () => judged({})),
  wrong('nothing', {
    aud: ['client'],
    acr: 'gold',
    auth_time: now,
    email_verified: true,
    address: {},
    updated_at: now,
  }),
  sees('K5 id_token', 'none', () => idToken(given({}))),
  sees('K5 id_token', 'no object inside', async () =>
    idToken(given({ response: { id_token: (await signed(good)).replace(/\.[^.]+/, '.W10') } })),
  ),
  sees('K6 header', 'ES384', es384),
  sees('K6 header', 'no kid', () => judged({ header: { kid: '' } })),
  sees('K6 signature', 'a key of another kid', () => judged({ header: { kid: 'two' } })),
  sees('K6 signature', 'another key', () => judged({ sign: other.privateKey })),
  sees('K6 signature', 'a key for encryption', () => judged({ background: { jwks: [{ ...key, use: 'enc' }] } })),
  sees('K6 same key twice', 'two keys of one kid', () => judged({ background: { jwks: [key, key] } })),
  wrong('K7 iss', { iss: 'https://op.example/' }),
  wrong('K7 aud', { aud: ['someone'] }),
  wrong('K7 exp', { exp: now - 301 }),
  wrong('K7 exp', { exp: undefined }),
  wrong('K7 exp', { exp: now * 1000 }),
  wrong('K7 iat', { iat: now - 301 }),
  wrong('K7 iat', { iat: now + 310 }),
  wrong('K7 iat', { iat: undefined }),
  wrong('K7 auth_time', { auth_time: now + 310 }),
  wrong('K7 auth_time', { auth_time: now - 400 * 86_400 }),
  wrong('K7 sub', { sub: 'ä' }),
  wrong('K7 sub', { sub: 'a'.repeat(256) }),
  wrong('K7 acr', { acr: '' }),
  wrong('K7 profile', { email_verified: 'true' }),
  wrong('K7 profile', { name: 7 }),
  wrong('K7 profile', { address: 'Main Street' }),
  wrong('K7 profile', { updated_at: '2026' }),
  wrong('K8 nonce', { nonce: 'n' }),
  wrong('nothing', { 'urn:openid:params:jwt:claim:auth_req_id': 'a' }, { authReqId: 'a' }),
  wrong('K9 auth_req_id', { 'urn:openid:params:jwt:claim:auth_req_id': 'b' }, { authReqId: 'a' }),
  wrong('nothing', { at_hash: atHash }),
  wrong('K9 hash', { at_hash: atHash.toLowerCase() }),
  wrong('K9 hash', { 'urn:openid:params:jwt:claim:rt_hash': atHash }),
  wrong('K10 hash', { s_hash: 'x' }),
  wrong('K12 acr', { acr: 'silver' }, { acrValue: 'gold' }),
  wrong('K12 acr', {}, { acrValue: 'gold' }),
  sees('nothing', 'encrypted for the client', () => encrypted({ kid: 'enc' }, [decryptionKey])),
  sees('K11 encryption', 'encrypted without kid', () => encrypted({}, [decryptionKey])),
  sees('K11 encryption', 'encrypted for nobody', () => encrypted({ kid: 'enc' }, [])),
  sees('K11 encryption', 'RSA1_5', async () =>
    idToken(
      given({ response: { id_token: `${Buffer.from('{"alg":"RSA1_5","kid":"enc"}').toString('base64url')}....` } }),
    ),
  ),

  sees('nothing', 'a refresh token', () => refreshTokenText('abc')),
  sees('M42 characters', 'a line break', () => refreshTokenText('a\nb')),
  sees('nothing', 'a later ID token', () => refreshed(good, { ...good, aud: ['client'], iat: now + 1 })),
  sees('M42 id token', 'another sub', () => refreshed(good, { ...good, sub: 'bob', iat: now + 1 })),
  sees('M42 id token', 'another azp', () => refreshed(good, { ...good, azp: 'client', iat: now + 1 })),
  sees('M42 id token', 'the same iat', () => refreshed(good, good)),
  sees('M42 id token', 'a newer auth_time', () =>
    refreshed({ ...good, auth_time: 1 }, { ...good, auth_time: 2, iat: now + 1 }),
  ),
]
