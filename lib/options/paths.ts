import type { Paths } from '../contracts/options.ts'
import type { Urls } from '../core/settings.ts'

export const defaultPaths: Paths = {
  backchannel: '/oidc/backchannel',
  token: '/oidc/token',
  revoke: '/oidc/revoke',
  introspect: '/oidc/introspect',
  jwks: '/oidc/jwks',
  discovery: '/.well-known/openid-configuration',
  approve: '/auth/backchannel/approve',
  complete: '/auth/backchannel/complete',
  notices: '/auth/backchannel/notices',
}

/** The absolute URL of every route. */
export function urlsOf(baseUrl: string, paths: Paths): Urls {
  const base = baseUrl.replace(/\/$/, '')
  return {
    origin: new URL(baseUrl).origin,
    base,
    backchannel: base + paths.backchannel,
    token: base + paths.token,
    revoke: base + paths.revoke,
    introspect: base + paths.introspect,
    jwks: base + paths.jwks,
    discovery: base + paths.discovery,
    approve: base + paths.approve,
    complete: base + paths.complete,
    notices: base + paths.notices,
  }
}

/** The endpoints that clients call, each with its alias for mutual TLS (RFC 8705 5); itself when it has none. */
export function aliasesOf(urls: Urls, mtlsUrls: Urls): ReadonlyMap<string, string> {
  const names = ['token', 'backchannel', 'revoke', 'introspect'] as const
  return new Map(names.map((name) => [urls[name], mtlsUrls[name]]))
}
