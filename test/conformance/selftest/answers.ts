import { accepted } from '../checks/accepted.ts'
import { expected, pending, refused, tokenRefused } from '../checks/refused.ts'
import { registration, removal } from '../checks/registration.ts'
import { refusedAsStolen, refusedInQuery, resource } from '../checks/resource.ts'
import { tokens } from '../checks/tokens.ts'
import { refusedWithoutCertificate } from '../checks/withoutCertificate.ts'
import { answer, type Case, html, sees } from './cases.ts'

const long = 'Tm90aGluZyB0byBzZWUgaGVyZSwgbW92ZSBhbG9uZyE'
const id = 'c3VyZWx5IGVub3VnaCBlbnRyb3B5IGZvciBhbnlvbmU'
const issued = { auth_req_id: id, expires_in: 120, interval: 5 }
const bc = (change: object, status = 200) => accepted(answer(status, { ...issued, ...change }))
const error = (change: object, status = 400) => answer(status, { error: 'invalid_request', ...change })
const no = (change: object, status?: number) => refused(error(change, status))
const notYet = (change: object, status = 400, headers = {}) =>
  pending(answer(status, { error: 'authorization_pending', ...change }, headers))
const granted = { access_token: long, token_type: 'Bearer', expires_in: 60, refresh_token: id, id_token: 'x' }
const ok = (change: object, headers = {}, status = 200) => tokens(answer(status, { ...granted, ...change }, headers))

const uuid = '0A3cc5f0-9c9f-4ad4-8d5e-1a2b3c4d5e6f'
const now = Date.parse('2026-01-02T03:04:05Z')
const headers = { date: new Date(now).toUTCString(), 'x-fapi-interaction-id': uuid.toLowerCase() }
const account = (change: object, status = 200, interactionId: string | undefined = uuid) =>
  resource(answer(status, {}, { ...headers, ...change }), { interactionId, now })

const registered = {
  client_id: 'a',
  registration_client_uri: 'https://op.example/a',
  registration_access_token: 'b',
}
const reg = (change: object, status = 201) => registration(answer(status, { ...registered, ...change }))

export const answers: readonly Case[] = [
  sees('nothing', 'an accepted request', () => bc({})),
  sees('nothing', 'no interval', () => bc({ interval: undefined })),
  sees('B1 accepted', 'HTTP 201', () => bc({}, 201)),
  sees('B1 accepted', 'HTML', () => accepted(html)),
  sees('B1 accepted', 'an error with HTTP 200', () => bc({ error: 'oops' })),
  sees('B2 auth_req_id', 'a number for an id', () => bc({ auth_req_id: 7 })),
  sees('B2 characters', 'a plus in the id', () => bc({ auth_req_id: `${id}+` })),
  sees('B2 length', '15 characters', () => bc({ auth_req_id: id.slice(0, 15) })),
  sees('B2 entropy', 'the same character over and over', () => bc({ auth_req_id: 'a'.repeat(64) })),
  sees('B2 more entropy', 'barely enough', () => bc({ auth_req_id: id.slice(0, 32) })),
  sees('B3 expires_in', 'seconds in a string', () => bc({ expires_in: '120' })),
  sees('B3 expires_in', 'half a second', () => bc({ expires_in: 0.5 })),
  sees('B3 expires_in', 'more than 356 days', () => bc({ expires_in: 357 * 86_400 })),
  sees('B3 expires_in', 'none', () => bc({ expires_in: undefined })),
  sees('B4 interval', 'a negative interval', () => bc({ interval: -1 })),
  sees('B4 interval', 'an interval in a string', () => bc({ interval: '5' })),

  sees('nothing', 'a refusal', () => no({ error_description: 'Wrong', error_uri: 'https://op.example/e' })),
  sees('E1 object', 'HTML', () => refused(html)),
  sees('E1 object', 'an array', () => refused(answer(400, []))),
  sees('E2 members', 'a member of its own', () => no({ state: 'x' })),
  sees('E2 error', 'no error', () => no({ error: undefined })),
  sees('E3 text', 'quotation marks', () => no({ error_description: 'the "sub"' })),
  sees('E3 text', 'an umlaut', () => no({ error_description: 'für' })),
  sees('E3 text', 'a number', () => no({ error_description: 7 })),
  sees('E3 white space', 'a line break', () => no({ error_description: 'a\nb' })),
  sees('E3 error_uri', 'a relative URL', () => no({ error_uri: '/errors' })),
  sees('E3 error_uri', 'a strange scheme', () => no({ error_uri: 'javascript:alert(1)' })),
  sees('E4 refusal', 'another error', () => no({ error: 'unknown_user_id' })),
  sees('E4 refusal', 'another status', () => no({}, 401)),
  sees('E4 refusal', 'HTTP 200', () => refused(answer(200, issued))),

  sees('nothing', 'authorization_pending', () => notYet({})),
  sees('nothing', 'slow_down', () => notYet({ error: 'slow_down', interval: 10 })),
  sees('T1 content type', 'text', () => notYet({}, 400, { 'content-type': 'text/plain' })),
  sees('T2 pending', 'HTTP 429', () => notYet({ error: 'slow_down' }, 429)),
  sees('T2 pending', 'tokens before their time', () => pending(answer(200, granted))),
  sees('T3 error', 'a backslash', () => notYet({ error: 'a\\b' })),
  sees('T8 retry-after', 'HTTP 503 alone', () => notYet({ error: 'temporarily_unavailable' }, 503)),
  sees('T9 refusal', 'slow_down for a used id', () =>
    tokenRefused(answer(400, { error: 'slow_down' }), [expected('invalid_grant', 400)]),
  ),

  sees('nothing', 'tokens', () => ok({})),
  sees('nothing', 'a type in capitals', () => ok({ token_type: 'BEARER' }, { 'cache-control': 'private, no-store' })),
  sees('K1 status', 'HTTP 400', () => ok({}, {}, 400)),
  sees('T1 content type', 'tokens as text', () => ok({}, { 'content-type': 'text/plain' })),
  sees('K1 no-store', 'no Cache-Control', () => ok({}, { 'cache-control': undefined })),
  sees('K1 no-store', 'no-cache alone', () => ok({}, { 'cache-control': 'no-cache' })),
  sees('K2 access token', 'none', () => ok({ access_token: '' })),
  sees('K2 token type', 'none', () => ok({ token_type: undefined })),
  sees('K2 token type', 'DPoP', () => ok({ token_type: 'DPoP' })),
  sees('K2 entropy', 'a counter', () => ok({ access_token: '0000000000000001' })),
  sees('K3 expires_in', 'in a string', () => ok({ expires_in: '60' })),
  sees('K3 expires_in', 'two years', () => ok({ expires_in: 2 * 366 * 86_400 })),
  sees('K3 expires_in missing', 'none', () => ok({ expires_in: undefined })),
  sees('K4 refresh token', 'a short one', () => ok({ refresh_token: 'abcdefgh' })),

  sees('nothing', 'an account', () => account({})),
  sees('nothing', 'an id of the server', () => account({}, 200, undefined)),
  sees('P1 status', 'HTTP 401', () => account({}, 401)),
  sees('P3 date', 'no Date', () => account({ date: undefined })),
  sees('P3 date', 'six minutes ago', () => account({ date: new Date(now - 360_000).toUTCString() })),
  sees('P3 interaction id', 'another id', () => account({ 'x-fapi-interaction-id': uuid.replace('0', '1') })),
  sees('P3 interaction id', 'no UUID', () => account({ 'x-fapi-interaction-id': 'abc' })),
  sees('P3 interaction id', 'none', () => account({ 'x-fapi-interaction-id': undefined })),
  sees('P3 content type', 'Latin-1', () => account({ 'content-type': 'application/json; charset=iso-8859-1' })),
  sees('P3 content type', 'HTML', () => account({ 'content-type': 'text/html' })),
  sees('nothing', 'a refused query', () => refusedInQuery(answer(401, {}))),
  sees('P4 query token', 'HTTP 200', () => refusedInQuery(answer(200, {}))),
  sees('nothing', 'a stolen token refused', () => refusedAsStolen(answer(401, {}))),
  sees('P5 stolen token', 'HTTP 200', () => refusedAsStolen(answer(200, {}))),

  sees('nothing', 'refused without certificate', () => refusedWithoutCertificate(error({}, 401), 'mtls')),
  sees('M43 without certificate', 'HTTP 200', () => refusedWithoutCertificate(answer(200, granted), 'mtls')),
  sees('T9 refusal', 'pending without certificate', () =>
    refusedWithoutCertificate(error({ error: 'authorization_pending' }), 'private_key_jwt'),
  ),

  sees('nothing', 'a registration', () => reg({})),
  sees('nothing', 'a registration without management', () => registration(answer(201, { client_id: 'a' }))),
  sees('R status', 'HTTP 200', () => reg({}, 200)),
  sees('R client_id', 'no client_id', () => reg({ client_id: undefined })),
  sees('R management', 'a token without its address', () => reg({ registration_client_uri: undefined })),
  sees('R management', 'an http address', () => reg({ registration_client_uri: 'http://op.example/a' })),
  sees('R secret', 'a secret for how long?', () => reg({ client_secret: 'c' })),
  sees('nothing', 'a removal', () => removal(answer(204, undefined))),
  sees('R delete', 'HTTP 200', () => removal(answer(200, {}))),
]
