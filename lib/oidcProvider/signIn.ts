import type { RequestHandler, Response } from 'express'
import type { LoginNeed, Session } from '../contracts/session.ts'
import { seeOther } from '../core/http/respond.ts'
import { omitUndefined } from '../core/json.ts'
import type { ProviderServer } from './types.ts'

/** How users sign in at oidc-provider for the page. */
export interface SignIn {
  /** The client that sign-ins for the page are started as. */
  readonly clientId: string
  /** Absolute URL that sign-ins come back to. */
  returnUrl(): string
}

/** Who is signed in at oidc-provider itself, and the authorization request that lets a user sign in there. */
export function createProviderSession(server: ProviderServer, { clientId, returnUrl }: SignIn): Session {
  return {
    async current({ req }) {
      const provider = server.provider()
      const koa = provider.createContext(req, req.res as Response)
      const { accountId, loginTs, acr, amr } = await provider.Session.get(koa as never)
      return accountId === undefined ? undefined : omitUndefined({ sub: accountId, authTime: loginTs, acr, amr })
    },
    loginUrl: ({ returnTo, need }) =>
      `${server.provider().urlFor('authorization')}?${new URLSearchParams({
        client_id: clientId,
        response_type: 'none', // nothing is needed but the login, and no scope that it would have to be consented to
        redirect_uri: returnUrl(),
        state: returnTo,
        ...parametersFor(need),
      })}`,
  }
}

function parametersFor({ acrValues, maxAgeSeconds, fresh, locale }: LoginNeed): Record<string, string> {
  return omitUndefined({
    prompt: fresh === true || maxAgeSeconds !== undefined ? 'login' : undefined,
    // acr_values need the scope
    scope: acrValues === undefined ? undefined : 'openid',
    acr_values: acrValues?.join(' '),
    ui_locales: locale,
  })
}

/**
 * Back from oidc-provider's login to the page that sent the user there, and to nowhere else. However it ended: without
 * a scope it says `access_denied` after a login too. `again` keeps a user who gave up from being sent there once more.
 */
export function returnRoute(approveUrl: string): RequestHandler {
  const approvePath = new URL(approveUrl).pathname
  return (req, res) => {
    const { state } = req.query
    const page = typeof state === 'string' && state.startsWith(`${approvePath}/`) ? state.slice(approvePath.length) : ''
    const [path = ''] = page.split('?')
    const location = /^\/[\w-]+$/.test(path) ? `${approvePath}${path}?again` : approvePath
    seeOther(res, location)
  }
}
