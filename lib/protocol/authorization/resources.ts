import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'

const maxResources = 10

/**
 * Reads the `resource` values of an authentication request (RFC 8707).
 * @throws BackchannelError `invalid_target` for what is no URI, or not served here for this client.
 */
export async function readResources(ctx: Context, uris: readonly string[], client: Client): Promise<readonly string[]> {
  const all = [...new Set(uris)]
  if (all.length > maxResources) throw invalid(`resource must name ${maxResources} resources at most`)
  for (const uri of all) {
    if (!isResource(uri)) throw invalid('resource must be an absolute URI without fragment')
    const resource = await ctx.tokenHooks.resource(uri, client.metadata)
    if (resource === undefined) throw invalid('resource names one that is not served here')
  }
  return all
}

/**
 * What a token request leaves of the resources that were granted (RFC 8707 2.2).
 * @throws BackchannelError `invalid_target` for others.
 */
export function narrowResources(ctx: Context, uris: readonly string[], granted: readonly string[]): readonly string[] {
  if (uris.length === 0) return granted
  const possible = granted.length === 0 ? [ctx.settings.tokens.audience] : granted
  if (!uris.every((uri) => possible.includes(uri))) throw invalid('resource names one that was not granted')
  return granted.length === 0 ? [] : [...new Set(uris)]
}

/** The scope values that at least one of these resources knows (RFC 9068 2.2.3). */
export async function scopeFor(
  ctx: Context,
  uris: readonly string[],
  scope: readonly string[],
  client: Client,
): Promise<readonly string[]> {
  if (uris.length === 0) return scope
  const known = new Set<string>()
  for (const uri of uris) {
    const resource = await ctx.tokenHooks.resource(uri, client.metadata)
    for (const each of resource?.scopes ?? scope) known.add(each)
  }
  return scope.filter((each) => known.has(each))
}

/** RFC 8707 2: absolute and without a fragment. */
export function isResource(uri: string): boolean {
  return URL.canParse(uri) && !uri.includes('#')
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_target', description)
}
