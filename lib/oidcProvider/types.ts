// What is used of oidc-provider 9. Its own types are not named, so that ours need nothing installed.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Its request, as `provider.BackchannelAuthenticationRequest` finds it. */
export interface ProviderRequest {
  /** The `auth_req_id`. */
  readonly jti: string
  readonly clientId?: string | undefined
  readonly accountId?: string | undefined
  /** Seconds. */
  readonly expiration: number
  readonly scope?: string | undefined
  readonly resource?: string | string[] | undefined
  readonly claims?: object | undefined
  readonly grantId?: string | undefined
  readonly error?: string | undefined
  errorDescription?: string | undefined
  readonly consumed?: unknown
  destroy(): Promise<void>
}

/** A client as it knows it. */
export interface ProviderClient {
  readonly clientId: string
  /** Registered `require_auth_time`. */
  readonly requireAuthTime?: boolean | undefined
  readonly backchannelTokenDeliveryMode?: string | undefined
}

/** Its grant: what the user agreed to. */
export interface ProviderGrant {
  addOIDCScope(scope: string): unknown
  addOIDCClaims(claims: string[]): unknown
  addResourceScope(resource: string, scope: string): unknown
  addRar(detail: { type: string }): unknown
  save(): Promise<string>
}

interface ProviderSession {
  readonly accountId?: string | undefined
  readonly loginTs?: number | undefined
  readonly acr?: string | undefined
  readonly amr?: string[] | undefined
}

/** An oidc-provider, as far as it is used: a `Provider` of the package. */
export interface OidcProvider {
  readonly Client: { find(id: string): Promise<ProviderClient | undefined> }
  readonly Grant: new (properties: { clientId: string; accountId: string }) => ProviderGrant
  readonly BackchannelAuthenticationRequest: {
    find(id: string, options?: { ignoreExpiration: boolean }): Promise<ProviderRequest | undefined>
  }
  readonly Session: { get(ctx: never): Promise<ProviderSession> }
  createContext(req: IncomingMessage, res: ServerResponse): unknown
  urlFor(name: string): string
  backchannelResult(request: never, result: never, options?: object): Promise<void>
}

/** What its helpers are called with: a context of Koa. */
export interface ProviderContext {
  readonly oidc: {
    readonly provider: OidcProvider
    readonly client?: ProviderClient | undefined
    readonly params?: Readonly<Record<string, unknown>> | undefined
    readonly claims?: object | undefined
    readonly entities: {
      readonly IdTokenHint?: { readonly payload: Readonly<Record<string, unknown>> } | undefined
    }
  }
  body?: unknown
  set(name: string, value: string): void
}

/** The helpers of `features.ciba`, in the order in which it calls them. */
export interface CibaHelpers {
  validateRequestContext(koa: ProviderContext, text?: string): Promise<void>
  validateBindingMessage(koa: ProviderContext, text?: string): Promise<void>
  /** The `accountId` of the user whom the hint names. */
  processLoginHint(koa: ProviderContext, value?: string): Promise<string | undefined>
  /** The `accountId` of the user whom the token names. */
  processLoginHintToken(koa: ProviderContext, value?: string): Promise<string | undefined>
  verifyUserCode(koa: ProviderContext, account: { accountId: string }, code?: string): Promise<void>
  /** Asks the user. */
  triggerAuthenticationDevice(koa: ProviderContext, request: ProviderRequest): Promise<void>
}

/** An error that it answers with. */
export interface ProviderError extends Error {
  error: string
  error_description?: string | undefined
  expose: boolean
}

/** `errors` of the package oidc-provider, as far as it is used. */
export interface ProviderErrors {
  readonly OIDCProviderError: new (status: number, message: string) => ProviderError
}

/** The oidc-provider that a feature belongs to. */
export interface ProviderServer {
  /** @throws TypeError while `routerFor` was not called. */
  provider(): OidcProvider
  readonly errors: ProviderErrors
}
