/** Where each route lives, relative to the place the router is mounted at. Every one can be changed. */
export interface Paths {
  /** Backchannel authentication endpoint (CIBA Core 7). Defaults to `/oidc/backchannel`. */
  readonly backchannel: string
  /** Token endpoint. Defaults to `/oidc/token`. */
  readonly token: string
  /** Revocation endpoint (RFC 7009). Defaults to `/oidc/revoke`. */
  readonly revoke: string
  /** Introspection endpoint (RFC 7662). Defaults to `/oidc/introspect`. */
  readonly introspect: string
  /** Our public keys. Defaults to `/oidc/jwks`. */
  readonly jwks: string
  /** Discovery document. Defaults to `/.well-known/openid-configuration`. */
  readonly discovery: string
  /** The page behind the link. Defaults to `/auth/backchannel/approve`. */
  readonly approve: string
  /** Completion by the host's own screen or app. Defaults to `/auth/backchannel/complete`. */
  readonly complete: string
  /** Where carriers report what became of notices. Defaults to `/auth/backchannel/notices`. */
  readonly notices: string
}

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

/** Absolute URLs of the routes, always from configuration and never from a request's `Host`. */
export interface Urls extends Paths {
  /** Scheme, host and port. */
  readonly origin: string
  /** Where the router is mounted, without a final slash. */
  readonly base: string
}

/** The endpoints that clients call, each with its alias for mutual TLS (RFC 8705 5); itself when it has none. */
export function aliasesOf(urls: Urls, mtlsUrls: Urls): ReadonlyMap<string, string> {
  const names = ['token', 'backchannel', 'revoke', 'introspect'] as const
  return new Map(names.map((name) => [urls[name], mtlsUrls[name]]))
}

export function urlsOf(baseUrl: string, paths: Paths): Urls {
  const base = baseUrl.replace(/\/$/, '')
  const absolute = Object.entries(paths).map(([name, path]) => [name, base + path])
  return { ...(Object.fromEntries(absolute) as unknown as Paths), origin: new URL(baseUrl).origin, base }
}
