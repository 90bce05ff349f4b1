import type { RequestHandler, Response } from 'express'
import type { LoginNeed, Session } from '../contracts/contracts.ts'
import { present } from '../core/omitUndefined.ts'
import type { OidcProvider } from './types.ts'

export interface SignInParts {
  provider(): OidcProvider
  /** The client that sign-ins for the page are started as. */
  readonly clientId: string
  /** Absolute URL that sign-ins come back to. */
  readonly returnUrl: string
}

/** Who is signed in at oidc-provider itself, and the authorization request that lets somebody sign in there. */
export function createProviderSession({ provider, clientId, returnUrl }: SignInParts): Session {
  return {
    async current(req) {
      const server = provider()
      const ctx = server.createContext(req, req.res as Response)
      const { accountId, loginTs, acr, amr } = await server.Session.get(ctx as never)
      return accountId === undefined ? undefined : present({ sub: accountId, authTime: loginTs, acr, amr })
    },
    loginUrl: (returnTo, need) =>
      `${provider().urlFor('authorization')}?${new URLSearchParams({
        client_id: clientId,
        response_type: 'none', // nothing is wanted but the login, and no scope that it would have to be consented to
        redirect_uri: returnUrl,
        state: returnTo,
        ...parametersFor(need),
      })}`,
  }
}

function parametersFor({ acrValues, maxAgeSeconds, fresh, locale }: LoginNeed): Record<string, string> {
  return present({
    prompt: fresh === true || maxAgeSeconds !== undefined ? 'login' : undefined,
    ...(acrValues === undefined ? {} : { scope: 'openid', acr_values: acrValues.join(' ') }), // the one needs the other
    ui_locales: locale,
  })
}

/**
 * Back from oidc-provider's login to the page that sent the user there, and to nowhere else. However it ended: without a
 * scope it says `access_denied` after a login too. `again` keeps whoever gave up from being sent there once more.
 */
export function returnRoute(approveUrl: string): RequestHandler {
  const approvePath = new URL(approveUrl).pathname
  return (req, res) => {
    const { state } = req.query
    const page = typeof state === 'string' && state.startsWith(`${approvePath}/`) ? state.slice(approvePath.length) : ''
    const [path = ''] = page.split('?')
    const location = /^\/[\w-]+$/.test(path) ? `${approvePath}${path}?again` : approvePath
    res.writeHead(303, { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).end()
  }
}
