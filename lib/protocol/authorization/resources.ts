import type { Awaitable, ClientMetadata } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Guard } from '../../core/guard.ts'

/** An API that access tokens can be for. */
export interface Resource {
  /** Scope values that mean something there; others stay out of its access tokens. Defaults to all. */
  readonly scopes?: readonly string[]
}

/** The APIs by their URI, or a function that knows them. */
export type Resources =
  | Readonly<Record<string, Resource>>
  | ((resource: string, client: ClientMetadata) => Awaitable<Resource | undefined | null>)

const mostResources = 10

/** Resource indicators (RFC 8707). */
export function createResources(resources: Resources, defaultResource: string, guard: Guard) {
  async function find(uri: string, client: ClientMetadata): Promise<Resource | undefined> {
    if (typeof resources === 'function') return (await guard('tokens', () => resources(uri, client))) ?? undefined
    return Object.hasOwn(resources, uri) ? resources[uri] : undefined
  }

  return {
    /** @throws BackchannelError `invalid_target` for what is no URI, or not served here for this client. */
    async read(uris: readonly string[], client: ClientMetadata): Promise<readonly string[]> {
      const all = [...new Set(uris)]
      if (all.length > mostResources) throw invalid(`resource must name ${mostResources} resources at most`)
      for (const uri of all) {
        if (!URL.canParse(uri) || uri.includes('#')) throw invalid('resource must be an absolute URI without fragment')
        if ((await find(uri, client)) === undefined) throw invalid('resource names one that is not served here')
      }
      return all
    },

    /**
     * What a token request leaves of the resources that were granted (RFC 8707 2.2).
     * @throws BackchannelError `invalid_target` for others.
     */
    narrow(uris: readonly string[], granted: readonly string[]): readonly string[] {
      if (uris.length === 0) return granted
      const possible = granted.length === 0 ? [defaultResource] : granted
      if (!uris.every((uri) => possible.includes(uri))) throw invalid('resource names one that was not granted')
      return granted.length === 0 ? [] : [...new Set(uris)]
    },

    /** The scope values that mean something to all of these resources together (RFC 9068 2.2.3). */
    async scopeFor(
      uris: readonly string[],
      scope: readonly string[],
      client: ClientMetadata,
    ): Promise<readonly string[]> {
      const meant = new Set<string>()
      for (const uri of uris) {
        const { scopes = scope } = (await find(uri, client)) ?? {}
        for (const each of scopes) meant.add(each)
      }
      return uris.length === 0 ? scope : scope.filter((each) => meant.has(each))
    },
  }
}

function invalid(description: string): BackchannelError {
  return new BackchannelError('invalid_target', description)
}
