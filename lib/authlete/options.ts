import { z } from 'zod'
import type { Awaitable, ClientMetadata } from '../contracts/clients.ts'

/** Names and texts; `Pair`s on the wire. */
export type Attributes = Readonly<Record<string, string>>

/**
 * What `createManagementRouter` takes.
 * @example
 * ```ts
 * const options: ManagementOptions = { authorize: ({ token }) => equal(token, process.env.MANAGEMENT_TOKEN) }
 * ```
 */
export interface ManagementOptions {
  /**
   * May the holder of this bearer token call the API of this service? Compare in constant time. Required: the caller
   * decides who agreed to what. Throwing answers 500.
   */
  readonly authorize: (call: ManagementCall) => Awaitable<boolean>
  /** The service that is served here; another one in the path is answered 403. Defaults to: `authorize` decides. */
  readonly serviceId?: string | undefined
  /** `serviceAttributes` of the answers. Defaults to none. */
  readonly serviceAttributes?: Attributes | undefined
  /** `clientAttributes` of the answers. Defaults to none. */
  readonly clientAttributes?: ((query: { readonly client: ClientMetadata }) => Attributes | undefined) | undefined
}

/** Who calls which service. */
export interface ManagementCall {
  /** The bearer token. */
  readonly token: string
  /** From the path. */
  readonly serviceId: string
}

const hook = (value: unknown) => typeof value === 'function'
const schema = z.strictObject({
  authorize: z.custom<ManagementOptions['authorize']>(
    hook,
    'is missing: give a function that checks the bearer token of the caller',
  ),
  serviceId: z.string('must be a string').min(1, 'must not be empty').optional(),
  serviceAttributes: z.record(z.string(), z.string(), 'must be an object of strings').optional(),
  clientAttributes: z.custom<ManagementOptions['clientAttributes']>(hook, 'must be a function').optional(),
})

/** @throws TypeError that names the option and the remedy. */
export function readManagementOptions(options: ManagementOptions): ManagementOptions {
  const result = schema.safeParse(options ?? {})
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') {
    throw new TypeError(`express-ciba: createManagementRouter does not know the option "${issue.keys.join('", "')}"`)
  }
  throw new TypeError(`express-ciba: createManagementRouter: option "${issue?.path.join('.')}" ${issue?.message}`)
}
