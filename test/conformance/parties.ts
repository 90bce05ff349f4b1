import { randomUUID } from 'node:crypto'
import { type Check, type Finding, found } from './checks/catalogue.ts'
import type { Config, Plan } from './config.ts'
import { membersOf } from './http.ts'
import type { Credentials } from './material.ts'
import { clientKeys, createParty, type Party } from './party.ts'
import { notificationEndpoint, type Receiver } from './receiver.ts'
import { type Registered, register } from './register.ts'
import type { Server } from './server.ts'
import type { Trial } from './trial.ts'

/** Both clients of a module. */
export interface Parties {
  readonly client1: Party
  readonly client2: Party
  /** What is wrong with them, before anything was sent. */
  faults(server: Server): Iterable<Finding>
  close(): Promise<void>
}

/** The clients that the configuration names. */
export function staticParties({ config, auth }: Plan): Parties {
  const { client, client2, mtls, mtls2 } = config
  const identities = [
    { client, certificate: mtls },
    { client: client2, certificate: mtls2 },
  ].map(({ client: { client_id: clientId = '', jwks }, certificate = { cert: '', key: '' } }) => ({
    clientId,
    keys: jwks?.keys ?? [],
    certificate,
  }))
  return parties(
    config,
    identities.map((identity, at) => createParty(config, at === 1, auth, identity)),
  )
}

export interface RegisterParties {
  readonly plan: Plan
  readonly server: Server
  readonly judge: Pick<Trial, 'findings' | 'check' | 'stop'>
  readonly credentials: readonly [Credentials, Credentials]
  readonly refresh: boolean
  readonly receiver: Pick<Receiver, 'url'>
}

/** Clients that are registered for one module and removed after it. */
export async function registerParties(wanted: RegisterParties): Promise<Parties> {
  const { plan, server, judge, credentials, receiver } = wanted
  const { config, auth } = plan
  const endpoint = server.mtlsEndpoint('registration_endpoint')
  if (endpoint === undefined) return judge.stop('R status', 'the server has no registration_endpoint')
  const base = notificationEndpoint(receiver.url, config.alias ?? randomUUID())
  const done: Registered[] = []
  const made: Party[] = []
  const remove = () => Promise.all(done.map((each) => each.remove()))
  try {
    for (const [at, each] of credentials.entries()) {
      const registered = await register({
        ...plan,
        second: at === 1,
        endpoint,
        notificationEndpoint: base,
        refresh: wanted.refresh,
        credentials: each,
        check: judge.check,
        note: (findings) => judge.findings.push(...findings),
      })
      done.push(registered)
      const identity = { clientId: registered.clientId, keys: [each.key], certificate: each.certificate }
      made.push(createParty(config, at === 1, auth, identity))
    }
  } catch (thrown) {
    await remove()
    throw thrown
  }
  return parties(config, made, remove)
}

function parties(config: Config, [client1, client2]: Party[], remove?: () => Promise<unknown>): Parties {
  if (client1 === undefined || client2 === undefined) throw new Error('a plan needs two clients')
  return {
    client1,
    client2,
    *faults(server) {
      yield* clientKeys(client1.keys)
      yield* clientKeys(client2.keys)
      yield* acrValue(config, server)
    },
    async close() {
      await remove?.()
      await Promise.all([client1.http.close(), client2.http.close()])
    },
  }
}

/** `client2.acr_value` belongs in the configuration exactly when the server publishes values. */
function* acrValue({ client2 }: Config, server: Server): Check {
  const { acr_values_supported: supported } = membersOf(server.document)
  if (Array.isArray(supported) && !supported.includes(client2.acr_value)) {
    yield found('S6 acr_value', `client2.acr_value has to be one of ${supported}`)
  }
}
