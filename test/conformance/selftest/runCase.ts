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
