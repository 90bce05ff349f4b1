import type { ErrorCode } from '../contracts/errors.ts'
import { BackchannelError } from '../core/errors.ts'
import type { ProviderContext, ProviderError, ProviderErrors } from './types.ts'

/** An error of oidc-provider with our code and text; it takes no others. */
export function providerError(
  { OIDCProviderError }: ProviderErrors,
  code: ErrorCode,
  status: number,
  text: string,
): ProviderError {
  const error = new OIDCProviderError(status, code)
  return Object.assign(error, { error_description: text, expose: true }) // also where the status is 503
}

/** What a helper throws: a refusal as oidc-provider tells one, everything else as it is. */
export function refusalOf(errors: ProviderErrors, thrown: unknown, koa: ProviderContext): unknown {
  if (!(thrown instanceof BackchannelError)) return thrown
  for (const [name, value] of Object.entries(thrown.headers)) koa.set(name, value)
  const { error_description } = thrown.toJSON()
  return Object.assign(providerError(errors, thrown.code, thrown.status, error_description), { cause: thrown })
}
