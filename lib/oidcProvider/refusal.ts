import { BackchannelError, type ErrorCode } from '../core/errors.ts'
import type { ProviderContext, ProviderError, ProviderErrors } from './types.ts'

export type Refuse = ReturnType<typeof createRefuse>

/** An error of oidc-provider with our code and text; it takes no others. */
export function createRefuse({ OIDCProviderError }: ProviderErrors) {
  return (code: ErrorCode, status: number, text: string): ProviderError => {
    const error = new OIDCProviderError(status, code)
    return Object.assign(error, { error_description: text, expose: true }) // also where the status is 503
  }
}

/** What a helper throws: a refusal as oidc-provider tells one, everything else as it is. */
export function createRefusal(refuse: Refuse) {
  return (thrown: unknown, ctx: ProviderContext): unknown => {
    if (!(thrown instanceof BackchannelError)) return thrown
    for (const [name, value] of Object.entries(thrown.headers)) ctx.set(name, value)
    const { error_description } = thrown.toJSON()
    return Object.assign(refuse(thrown.code, thrown.status, error_description), { cause: thrown })
  }
}
