import { Router } from 'express'
import { type AskingEngine, askingEngine, type Deliveries, deliveriesOf } from '../backchannel.ts'
import { composeAsk } from '../compose.ts'
import type { DeliveryQueue } from '../contracts/queue.ts'
import type { AskContext, ClientDirectory, Outcomes } from '../core/context.ts'
import { guardQueue } from '../core/guards/queue.ts'
import { createErrorHandler } from '../core/http/respond.ts'
import { type DoctorOptions, examineAsking, type Finding } from '../doctor/doctor.ts'
import { queueOf, startLogger } from '../options/defaults.ts'
import { mountUserRoutes } from '../userRoutes.ts'
import { clientOf } from './client.ts'
import { createHelpers } from './helpers.ts'
import type { CibaFeatureOptions } from './options.ts'
import { announce, keepJob, runDelivery } from './outcomes.ts'
import { createProviderSession, returnRoute } from './signIn.ts'
import type { CibaHelpers, OidcProvider, ProviderErrors, ProviderServer } from './types.ts'

export type { CibaFeatureOptions } from './options.ts'
export type { CibaHelpers, OidcProvider, ProviderErrors } from './types.ts'

/** Our channels, page and limits for an oidc-provider that keeps its endpoints, clients and tokens. */
export interface CibaFeature {
  /** For oidc-provider's configuration: `features: { ciba: feature }`. */
  readonly feature: { enabled: true; deliveryModes: ('poll' | 'ping')[] } & CibaHelpers
  /** The routes of users and carriers. Mount it before `provider.callback()`. */
  routerFor(provider: OidcProvider): Router
  /** The engine behind both, for screens, jobs and support of the host's own. */
  readonly backchannel: CibaEngine
}

/** What a host may do about the requests of its oidc-provider. */
export interface CibaEngine extends AskingEngine {
  /** Answers that oidc-provider could not be told of. */
  readonly deliveries: Deliveries
  /** Checks addresses, secret, store, channels, session, limits, clock, and the app it is given. Sends no notice. */
  doctor(options?: Pick<DoctorOptions, 'app'>): Promise<readonly Finding[]>
  /** Resolves when every notice and answer under way was handed over; releases what this engine holds. */
  close(): Promise<void>
}

/** Where sign-ins come back to, below the base URL. */
const signedInPath = '/auth/backchannel/signed-in'

/**
 * Complements `features.ciba` of oidc-provider 9.
 * @throws TypeError that names the option and the remedy.
 * @example
 * ```ts
 * import { errors, Provider } from 'oidc-provider'
 * const ciba = createCibaFeature({ errors, issuer, users, channels, signIn: { clientId: 'approval-page' } })
 * const provider = new Provider(issuer, { features: { ciba: ciba.feature } })
 * app.use(ciba.routerFor(provider), provider.callback())
 * ```
 */
export function createCibaFeature(options: CibaFeatureOptions): CibaFeature {
  const server = createServer(options.errors)
  const { context, queue, close } = composeFeature(server, options)
  return {
    feature: {
      enabled: true,
      deliveryModes: [...(options.delivery?.modes ?? (['poll', 'ping'] as const))],
      ...createHelpers(context, server),
    },
    routerFor(provider) {
      server.attach(provider)
      const router = Router()
      if (options.session === undefined) router.get(signedInPath, returnRoute(context.urls.approve))
      mountUserRoutes(router, context)
      router.use(createErrorHandler(context.emit))
      return router
    },
    backchannel: Object.freeze({
      ...askingEngine(context),
      deliveries: deliveriesOf(queue),
      doctor: (doctorOptions: Pick<DoctorOptions, 'app'> = {}) => examineAsking(context, options, doctorOptions),
      close,
    }),
  }
}

interface AttachableServer extends ProviderServer {
  attach(provider: OidcProvider): void
}

/** oidc-provider is made with our helpers, and so it is known only after them. */
function createServer(errors: ProviderErrors | undefined): AttachableServer {
  if (typeof errors?.OIDCProviderError !== 'function') {
    throw new TypeError('express-ciba: option "errors" must be the "errors" of the package oidc-provider')
  }
  let attached: OidcProvider | undefined
  return {
    errors,
    provider() {
      if (attached !== undefined) return attached
      throw new TypeError('express-ciba: mount routerFor(provider) before the first request')
    },
    attach(provider) {
      attached = provider
    },
  }
}

interface ComposedFeature {
  readonly context: AskContext
  readonly queue: DeliveryQueue
  close(): Promise<void>
}

/** Builds what asking users stands on, and starts the queue that tells oidc-provider of their answers. */
function composeFeature(server: ProviderServer, options: CibaFeatureOptions): ComposedFeature {
  const { errors: _, signIn, ...shared } = options
  const session = shared.session ?? providerSession(server, signIn, () => context.urls.base + signedInPath)
  if (shared.secret === undefined) {
    const text = 'express-ciba: option "secret" is not set: links that are on their way end with this process'
    startLogger(shared).warn({}, text)
  }
  const clients: ClientDirectory = {
    find: (clientId) =>
      guard.call('clients', 'Client.find', async () => {
        const client = await server.provider().Client.find(clientId)
        return client === undefined ? undefined : clientOf(client)
      }),
  }
  const outcomes: Outcomes = {
    keep: (record) => keepJob(queue, record),
    announce: (record) => announce(context, queue, record),
  }
  const elsewhere = { clients, outcomes, close: () => queue.close() }
  const { context, guard, close } = composeAsk({ ...shared, session }, elsewhere)
  const queue = guardQueue(queueOf(shared), guard)
  queue.start(
    (job, attempt) => runDelivery(context, server, job, attempt),
    (cause) => context.emit({ type: 'outage', of: 'queue', cause }),
  )
  return { context, queue, close }
}

function providerSession(server: ProviderServer, signIn: CibaFeatureOptions['signIn'], returnUrl: () => string) {
  if (signIn !== undefined) return createProviderSession(server, { clientId: signIn.clientId, returnUrl })
  throw new TypeError(
    'express-ciba: option "signIn" is missing: name the client that users sign in with, or set "session"',
  )
}
