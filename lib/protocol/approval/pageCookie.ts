import { parseCookie, stringifySetCookie } from 'cookie'
import { equalSecrets, type Vault } from '../../core/crypto/vault.ts'

/**
 * Takes the link's secret out of the address bar: the browser keeps it in a cookie, and the page lives at the public
 * id of the request. After login the cookie is bound to the user, so one planted before counts for nothing.
 */
export interface Links {
  /** The URL that a notice carries. */
  linkFor(handle: string): string
  /** The page of a request, once the browser holds the handle. */
  pageUrl(id: string): string
  /** A cookie that holds the handle for so many seconds: for anybody, or bound to a user. */
  cookieFor(id: string, handle: string, seconds: number, sub?: string): string
  /** The handle a browser holds for this page. `bound`: the cookie belongs to this user. */
  read(cookieHeader: string | undefined, id: string, sub?: string): { handle: string; bound: boolean } | undefined
  /** Value of the hidden form field that only this page, user and browser has. */
  csrfFor(id: string, handle: string, sub: string): string
}

export function createLinks({ approveUrl, vault }: { approveUrl: string; vault: Vault }): Links {
  const { pathname, protocol } = new URL(approveUrl)
  const secure = protocol === 'https:'
  const cookieName = (id: string) => `${secure ? '__Secure-' : ''}ciba-${id}`

  return {
    linkFor: (handle) => `${approveUrl}?r=${handle}`,
    pageUrl: (id) => `${approveUrl}/${id}`,
    cookieFor: (id, handle, seconds, sub = '') =>
      stringifySetCookie(cookieName(id), `${handle}.${vault.sign('page', handle, sub)}`, {
        path: pathname,
        // browsers that are never closed would collect them until the header is too large
        maxAge: seconds,
        httpOnly: true,
        sameSite: 'lax',
        secure,
      }),
    read(cookieHeader, id, sub) {
      const [handle, signature] = (parseCookie(cookieHeader ?? '')[cookieName(id)] ?? '').split('.')
      if (handle === undefined || signature === undefined || !handle.startsWith(id)) return undefined
      if (sub !== undefined && equalSecrets(signature, vault.sign('page', handle, sub))) return { handle, bound: true }
      return equalSecrets(signature, vault.sign('page', handle, '')) ? { handle, bound: false } : undefined
    },
    csrfFor: (id, handle, sub) => vault.sign('csrf', id, handle, sub),
  }
}
