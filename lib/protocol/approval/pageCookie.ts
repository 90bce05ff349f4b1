import { parseCookie, stringifySetCookie } from 'cookie'
import type { AskContext } from '../../core/context.ts'
import { equalSecrets } from '../../core/crypto/handles.ts'

// Takes the link's secret out of the address bar: the browser keeps it in a cookie, and the page is found at the public
// id of the request. After login the cookie is bound to the user, so one that was planted before counts for nothing.

/** What a browser holds for a page. */
export interface HeldHandle {
  readonly handle: string
  /** The cookie belongs to this user. */
  readonly bound: boolean
}

/** The page of a request, once the browser holds the handle. */
export function pageUrl(ctx: AskContext, id: string): string {
  return `${ctx.urls.approve}/${id}`
}

/** A cookie that holds the handle for so many seconds: for anybody, or bound to a user. */
export function cookieFor(ctx: AskContext, id: string, handle: string, seconds: number, sub = ''): string {
  return stringifySetCookie(cookieName(ctx, id), `${handle}.${signatureFor(ctx, handle, sub)}`, {
    path: new URL(ctx.urls.approve).pathname,
    // cookies without an end would collect until the header is too large, in browsers that are never closed
    maxAge: seconds,
    httpOnly: true,
    sameSite: 'lax',
    secure: isSecure(ctx),
  })
}

/** The handle that a browser holds for the page of a request, in a cookie for anybody or for this user. */
export function readCookie(
  ctx: AskContext,
  cookieHeader: string | undefined,
  id: string,
  sub?: string,
): HeldHandle | undefined {
  const [handle, signature] = (parseCookie(cookieHeader ?? '')[cookieName(ctx, id)] ?? '').split('.')
  if (handle === undefined || signature === undefined || !handle.startsWith(id)) return undefined
  if (sub !== undefined && equalSecrets(signature, signatureFor(ctx, handle, sub))) return { handle, bound: true }
  return equalSecrets(signature, signatureFor(ctx, handle, '')) ? { handle, bound: false } : undefined
}

/** Value of the hidden form field that only this page, user and browser has. */
export function csrfFor(ctx: AskContext, id: string, handle: string, sub: string): string {
  return ctx.vault.sign('csrf', id, handle, sub)
}

function signatureFor(ctx: AskContext, handle: string, sub: string): string {
  return ctx.vault.sign('page', handle, sub)
}

function cookieName(ctx: AskContext, id: string): string {
  return `${isSecure(ctx) ? '__Secure-' : ''}ciba-${id}`
}

function isSecure(ctx: AskContext): boolean {
  return ctx.urls.approve.startsWith('https:')
}
