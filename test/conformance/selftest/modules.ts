import type { CheckId } from '../checks/catalogue.ts'
import { type AuthType, type Mode, plansOf } from '../config.ts'
import type { Answer, Http } from '../http.ts'
import { createLimit } from '../limit.ts'
import { type Credentials, makeCredentials } from '../material.ts'
import { staticParties } from '../parties.ts'
import { allModules } from '../plan.ts'
import { type Result, runModule, strayResult } from '../run.ts'
import { readServer } from '../server.ts'
import { answer } from './cases.ts'
import { createFakeOp, type Faults, resourceUrl } from './fakeOp.ts'

/** A module that meets a fault, and what it has to say. */
export interface ModuleCase {
  readonly check: CheckId | 'nothing'
  readonly module: string
  readonly what: string
  readonly faults: Faults
  readonly auth?: AuthType
  readonly mode?: Mode
  readonly acr?: string
  /** There is no approval URL. */
  readonly byHand?: true
}

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

/** Servers that know one answer: no module may pass against both of them. */
export const parrots: Readonly<Record<string, Answer>> = {
  'accepts everything': answer(200, { auth_req_id: 'c3VyZWx5IGVub3VnaCBlbnRyb3B5', expires_in: 120 }),
  'fails at everything': answer(500, { error: 'server_error' }),
}

let pair: [Credentials, Credentials] | undefined

/** Runs a module against a fault, in no time. */
export async function runCase(each: Omit<ModuleCase, 'check' | 'what'>, tls: string): Promise<Result> {
  const { module, faults, mode = 'poll', auth = 'private_key_jwt' } = each
  const op = createFakeOp(faults, tls)
  return runAt({ module, mode, auth, op, tls, acr: each.acr, byHand: each.byHand })
}

/** Runs a module against a server that knows one answer. */
export function runParrot(module: string, mode: Mode, auth: AuthType, parrot: Answer, tls: string): Promise<Result> {
  const op = createFakeOp({}, tls)
  const httpOf = (owner: string): Http => {
    const { send, close } = op.httpOf(owner)
    return { close, send: async (url, call) => (call?.method === 'POST' ? parrot : send(url, call)) }
  }
  return runAt({ module, mode, auth, op: { ...op, httpOf }, tls })
}

interface At {
  readonly module: string
  readonly mode: Mode
  readonly auth: AuthType
  readonly op: ReturnType<typeof createFakeOp>
  readonly tls: string
  readonly acr?: string | undefined
  readonly byHand?: true | undefined
}

async function runAt({ module: id, mode, auth, op, tls, acr, byHand }: At): Promise<Result> {
  pair ??= [makeCredentials('one'), makeCredentials('two')]
  const [one, two] = pair
  const [plan] = plansOf({
    server: { discoveryUrl: op.discoveryUrl },
    resource: { resourceUrl: resourceUrl(tls) },
    client: { client_id: 'one', scope: 'openid', hint_type: 'login_hint', hint_value: 'a', jwks: { keys: [one.key] } },
    client2: { client_id: 'two', scope: 'openid', jwks: { keys: [two.key] }, ...(acr ? { acr_value: acr } : {}) },
    mtls: one.certificate,
    mtls2: two.certificate,
    ...(byHand ? {} : { automated_ciba_approval_url: op.approvalUrl }),
    variant: { ciba_mode: mode, client_auth_type: auth },
  })
  const parties = staticParties(plan!)
  const shared = {
    ...parties,
    client1: { ...parties.client1, http: op.httpOf('one') },
    client2: { ...parties.client2, http: op.httpOf('two') },
  }
  const server = await readServer(plan!.config, op.httpOf('one'))
  const options = {
    receiver: { url: 'https://client.example', expect: op.guests.expect },
    limit: createLimit(1),
    credentials: pair,
    report: () => {},
    tell: () => {},
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve)),
  }
  const module = allModules.find((each) => each.id === id)
  const result = await runModule(module!, { plan: plan!, server, shared, options })
  await parties.close()
  return result
}

/** A call that nobody waited for. */
export function strayFindings() {
  const call = { contentType: undefined, authorization: undefined, body: '', protocol: null, suite: '' }
  return strayResult({ strays: [{ path: '/test/a/poll', call }] })?.findings ?? []
}
