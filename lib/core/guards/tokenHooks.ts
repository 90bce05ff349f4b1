import { z } from 'zod'
import type { TokenLifetimes, TokenOptions } from '../../contracts/options.ts'
import type { IssuedTokens, Resource, Resources } from '../../contracts/tokens.ts'
import type { TokenHooks } from '../context.ts'
import { omitUndefined } from '../json.ts'
import { checkShape, type Guard, optional, wrongResult } from './guard.ts'

const text = z.string('must be a string').min(1, 'must not be empty')

const tokensShape = z.looseObject({
  access_token: text,
  token_type: optional(z.enum(['Bearer', 'DPoP'], 'must be "Bearer" or "DPoP"')),
  expires_in: optional(z.int('must be a whole number of seconds').positive('must be more than 0')),
  refresh_token: optional(text),
  id_token: optional(text),
  scope: optional(z.string('must be a string')),
})

const resourceShape = z.object({
  scopes: optional(z.array(z.string('must be a string'), 'must be an array of strings')),
})

const defaultSeconds = { idToken: 3_600, accessToken: 3_600, refreshToken: 30 * 86_400 } as const

const lifetimeOf = {
  idToken: 'idTokenSeconds',
  accessToken: 'accessTokenSeconds',
  refreshToken: 'refreshTokenSeconds',
} as const satisfies Record<keyof typeof defaultSeconds, keyof TokenLifetimes>

/** The host's part in making tokens, guarded. Where a hook answers yes or no, every truthy value is a yes. */
export function guardTokenHooks(options: TokenOptions, resources: Resources | undefined, guard: Guard): TokenHooks {
  const { issue, accessToken, issueRefreshToken, mayIntrospect, lifetimes } = options

  return {
    issue: issue && guard.wrap('tokens', 'tokens.issue', issue, readTokens),
    accessToken:
      accessToken === undefined
        ? async () => undefined
        : guard.wrap('tokens', 'tokens.accessToken', accessToken, readAccessToken),
    issueRefreshToken:
      issueRefreshToken && guard.wrap('tokens', 'tokens.issueRefreshToken', issueRefreshToken, Boolean),
    mayIntrospect:
      mayIntrospect &&
      guard.wrap('tokens', 'tokens.mayIntrospect', (client, token) => mayIntrospect({ client, token }), Boolean),
    resource: guardResources(resources, guard),

    lifetimeSeconds(token, client) {
      const hook = `tokens.lifetimes.${lifetimeOf[token]}`
      const option = lifetimes?.[lifetimeOf[token]]
      const seconds: unknown =
        typeof option === 'function' ? guard.sync('tokens', hook, () => option({ client })) : option
      if (seconds === undefined || seconds === null) return defaultSeconds[token]
      if (Number.isSafeInteger(seconds) && Number(seconds) > 0) return Number(seconds)
      throw new TypeError(`express-ciba: option "${hook}" must return a whole number of seconds, more than 0`)
    },
  }
}

function readTokens(value: unknown): IssuedTokens {
  return omitUndefined(checkShape(tokensShape, 'tokens.issue', 'tokens', value))
}

function readAccessToken(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw wrongResult('tokens.accessToken', 'what is not a token')
}

function guardResources(resources: Resources | undefined, guard: Guard): TokenHooks['resource'] {
  if (typeof resources === 'function') {
    return guard.wrap(
      'tokens',
      'requests.resources',
      (resource, client) => resources({ resource, client }),
      readResource,
    )
  }
  return async (uri) =>
    resources !== undefined && Object.hasOwn(resources, uri) ? readResource(resources[uri]) : undefined
}

function readResource(value: unknown): Resource | undefined {
  if (value === undefined || value === null) return undefined
  return omitUndefined(checkShape(resourceShape, 'requests.resources', 'a resource', value))
}
