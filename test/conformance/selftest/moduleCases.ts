import type { Answer } from '../http.ts'
import { answer } from './cases.ts'
import type { ModuleCase } from './runCase.ts'

const broken = (status: number) => (good: Answer) => ({ ...good, status })
const errorOf = ({ json }: Answer) => (json as { error?: string }).error
const says = (error: string) => () => answer(400, { error })

export const moduleCases: readonly ModuleCase[] = [
  ...['M02', 'M03', 'M04', 'M06', 'M07', 'M08', 'M27', 'M43'].flatMap((module) =>
    (['poll', 'ping'] as const).map((mode) => ({
      check: 'nothing' as const,
      module,
      what: `a good server (${mode})`,
      faults: {},
      mode,
    })),
  ),
  ...['M36', 'M37', 'M38', 'M39', 'M40'].map((module) => ({
    check: 'nothing' as const,
    module,
    what: 'a good server',
    faults: {},
    mode: 'ping' as const,
  })),
  { check: 'T5 tries', module: 'M06', what: 'an approval that is lost', faults: { approve: () => answer(202, {}) } },
  { check: 'A3 approval', module: 'M06', what: 'an approval URL that is gone', faults: { approve: broken(404) } },
  {
    check: 'T9 refusal',
    module: 'M03',
    what: 'a denial that is called an expiry',
    faults: { token: (good) => (errorOf(good) === 'access_denied' ? answer(400, { error: 'expired_token' }) : good) },
  },
  {
    check: 'T9 refusal',
    module: 'M02',
    what: 'slow_down for a used id',
    faults: { token: (good) => (errorOf(good) === 'invalid_grant' ? answer(400, { error: 'slow_down' }) : good) },
  },
  {
    check: 'P5 stolen token',
    module: 'M02',
    what: 'tokens that anybody may use',
    faults: { resource: (good) => ({ ...good, status: 200 }) },
  },
  { check: 'nothing', module: 'M42', what: 'refresh tokens', faults: { refreshTokens: true } },
  { check: 'A7 screenshot', module: 'M09', what: 'the long message accepted', faults: {} },
  {
    check: 'A7 look at the device',
    module: 'M09',
    what: 'the long message accepted, with a human at hand',
    faults: { approvesItself: true },
    byHand: true,
  },
  { check: 'N7 no ping', module: 'M06', what: 'no ping', mode: 'ping', faults: { ping: () => {} } },
  {
    check: 'N8 second ping',
    module: 'M39',
    what: 'a second ping after 401',
    mode: 'ping',
    faults: {
      ping(guest, ping) {
        guest.arrive(ping)
        guest.arrive(ping)
      },
    },
  },
  {
    check: 'N8 redirect followed',
    module: 'M40',
    what: 'a redirect followed',
    mode: 'ping',
    faults: {
      ping(guest, ping) {
        guest.arrive(ping)
        guest.followed.push(ping)
      },
    },
  },
  {
    check: 'M36 token',
    module: 'M36',
    what: 'no tokens after a body',
    mode: 'ping',
    faults: { token: says('authorization_pending') },
  },
  { check: 'M35 audience', module: 'M35', what: 'the issuer refused', faults: { token: says('invalid_client') } },
  {
    check: 'M42 not issued',
    module: 'M42',
    what: 'no refresh token, although announced',
    faults: { metadata: { grant_types_supported: ['refresh_token'] } },
  },
  {
    check: 'TLS endpoint',
    module: 'M43',
    what: 'no authorization endpoint',
    faults: { metadata: { authorization_endpoint: undefined } },
  },
  {
    check: 'S6 acr_value',
    module: 'M06',
    what: 'an acr_value the server does not know',
    faults: { metadata: { acr_values_supported: ['gold'] } },
    acr: 'silver',
  },
  {
    check: 'K12 acr',
    module: 'M02',
    what: 'another acr than asked for',
    faults: { metadata: { acr_values_supported: ['gold'] } },
    acr: 'gold',
  },
  {
    check: 'X error',
    module: 'M06',
    what: 'a connection that breaks',
    faults: {
      backchannel() {
        throw new Error('ECONNRESET')
      },
    },
  },
]
