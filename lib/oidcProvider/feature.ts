import { Router } from 'express'
import { type Backchannel, createBackchannel } from '../backchannel.ts'
import { makeKeys } from '../core/crypto/signingKeys.ts'
import { createErrorHandler } from '../core/http/respond.ts'
import type { BackchannelOptions } from '../options/schema.ts'
import { mountUserRoutes } from '../userRoutes.ts'
import { clientOf } from './client.ts'
import { createHelpers, readVerifiedHint } from './helpers.ts'
import { createRefusal, createRefuse } from './refusal.ts'
import { createTell } from './result.ts'
import { createProviderSession, returnRoute } from './signIn.ts'
import type { OidcProvider, ProviderErrors } from './types.ts'

/** What the engine is told of where oidc-provider does the rest: it knows the clients, and makes the tokens. */
type Shared =
  | 'issuer'
  | 'baseUrl'
  | 'users'
  | 'session'
  | 'channels'
  | 'notices'
  | 'store'
  | 'secret'
  | 'acrValues'
  | 'graceSeconds'
  | 'bindingMessage'
  | 'requireBindingMessage'
  | 'userCodes'
  | 'loginHintToken'
  | 'authorizationDetailsTypes'
  | 'openRequestsPerUser'
  | 'freshLogin'
  | 'limits'
  | 'limiter'
  | 'notMeBlockSeconds'
  | 'page'
  | 'queue'
  | 'onUndelivered'
  | 'onEvent'
  | 'onAnswer'
  | 'telemetry'
  | 'logger'
  | 'clock'

/** The options of `createBackchannelRouter` that have a meaning here, and how users sign in. */
export interface CibaFeatureOptions extends Pick<BackchannelOptions, Shared> {
  /** `errors` of the package oidc-provider, which takes no others. */
  readonly errors: ProviderErrors
  readonly paths?: Pick<NonNullable<BackchannelOptions['paths']>, 'approve' | 'complete' | 'notices'>
  /**
   * Users decide with their login at oidc-provider. `clientId`: a client of its own for the page, registered with
   * `response_types: ['none']`, `grant_types: []`, `token_endpoint_auth_method: 'none'` and the `redirect_uris`
   * `<issuer>/auth/backchannel/signed-in`. Pass `session` instead where the login is elsewhere.
   */
  readonly signIn?: { readonly clientId: string }
  /** Delivery modes that oidc-provider offers. Defaults to both. */
  readonly deliveryModes?: readonly ('poll' | 'ping')[]
}

/** Our channels, page and limits for an oidc-provider that keeps its endpoints, clients and tokens. */
export interface CibaFeature {
  /** For oidc-provider's configuration: `features: { ciba: feature }`. */
  readonly feature: { enabled: true; deliveryModes: ('poll' | 'ping')[] } & ReturnType<typeof createHelpers>
  /** The routes of users and carriers. Mount it before `provider.callback()`. */
  routerFor(provider: OidcProvider): Router
  /** The engine behind both: `resend`, `cancel`, `complete`, `doctor`, `close`. */
  readonly backchannel: Backchannel
}

const signedIn = '/auth/backchannel/signed-in'

/**
 * Complements `features.ciba` of oidc-provider 9:
 *
 * ```ts
 * import { errors, Provider } from 'oidc-provider'
 * const ciba = createCibaFeature({ errors, issuer, users, channels, signIn: { clientId: 'approval-page' } })
 * const provider = new Provider(issuer, { features: { ciba: ciba.feature } })
 * app.use(ciba.routerFor(provider), provider.callback())
 * ```
 * @throws TypeError that names the option and the remedy.
 */
export function createCibaFeature(options: CibaFeatureOptions): CibaFeature {
  const { errors, signIn, deliveryModes = ['poll', 'ping'], ...shared } = options
  const refuse = createRefuse(readErrors(errors))
  let attached: OidcProvider | undefined
  const provider = () => {
    if (attached === undefined) throw new TypeError('express-ciba: mount routerFor(provider) before the first request')
    return attached
  }
  const returnUrl = (shared.baseUrl ?? shared.issuer).replace(/\/$/, '') + signedIn
  const session = shared.session ?? sessionOf()
  if (shared.secret === undefined) {
    const logger = shared.logger ?? { warn: (_fields: object, text: string) => console.warn(text) }
    logger.warn({}, 'express-ciba: option "secret" is not set: links that are on their way end with this process')
  }
  const backchannel = createBackchannel(
    { ...shared, session, clients: () => undefined, keys: makeKeys() }, // the key signs nothing: tokens are oidc-provider's
    {
      findClient: async (clientId) => {
        const client = await provider().Client.find(clientId)
        return client === undefined ? undefined : clientOf(client)
      },
      readIdTokenHint: readVerifiedHint,
      callClient: createTell({ provider, refuse, emit: (event) => backchannel.parts.emit(event) }),
    },
  )
  const { settings, steps, emit, urls } = backchannel.parts
  const helpers = createHelpers({
    ...settings,
    steps,
    emit,
    issue: backchannel.issue,
    clientOf,
    refusal: createRefusal(refuse),
  })

  return {
    feature: { enabled: true, deliveryModes: [...deliveryModes], ...helpers },
    routerFor(server) {
      attached = server
      const router = Router()
      if (shared.session === undefined) router.get(signedIn, returnRoute(urls.approve))
      mountUserRoutes(router, backchannel)
      router.use(createErrorHandler(emit))
      return router
    },
    backchannel,
  }

  function sessionOf() {
    if (signIn === undefined) {
      throw new TypeError(
        'express-ciba: option "signIn" is missing: name the client that users sign in with, or set "session"',
      )
    }
    return createProviderSession({ provider, clientId: signIn.clientId, returnUrl })
  }
}

function readErrors(errors: ProviderErrors | undefined): ProviderErrors {
  if (typeof errors?.OIDCProviderError === 'function') return errors
  throw new TypeError('express-ciba: option "errors" must be the "errors" of the package oidc-provider')
}
