import { readFileSync } from 'node:fs'
import { z } from 'zod'

export const authTypes = ['private_key_jwt', 'mtls'] as const
export const modes = ['poll', 'ping'] as const
export const registrations = ['static_client', 'dynamic_client'] as const

export type AuthType = (typeof authTypes)[number]
export type Mode = (typeof modes)[number]
export type Registration = (typeof registrations)[number]

const jwk = z.looseObject({ kty: z.string() })
const client = z.strictObject({
  /** Required for static clients. */
  client_id: z.string().optional(),
  /** Required for static clients: private keys, exactly one of them for signatures. */
  jwks: z.strictObject({ keys: z.array(jwk) }).optional(),
  scope: z.string(),
  /** Needed for the second client if, and only if, the server publishes `acr_values_supported`. */
  acr_value: z.string().optional(),
  /** For dynamic clients. */
  client_name: z.string().optional(),
  initial_access_token: z.string().optional(),
})
const hint = {
  hint_type: z.enum(['login_hint', 'login_hint_token', 'id_token_hint']),
  hint_value: z.string(),
}
const certificate = z.strictObject({ cert: z.string(), key: z.string(), ca: z.string().optional() })

/** One test configuration, with the member names of the real suite. */
const schema = z
  .strictObject({
    alias: z.string().optional(),
    description: z.string().optional(),
    server: z.strictObject({
      discoveryUrl: z.string(),
      allow_unexpected_metadata_fields: z.array(z.string()).default([]),
    }),
    resource: z.strictObject({ resourceUrl: z.string() }),
    client: client.extend(hint),
    client2: client,
    mtls: certificate.optional(),
    mtls2: certificate.optional(),
    automated_ciba_approval_url: z.string().optional(),
    /** Ours: what this file is for. A member that is left out stands for all its values. */
    variant: z
      .strictObject({
        client_auth_type: z.enum(authTypes).optional(),
        ciba_mode: z.enum(modes).optional(),
        client_registration: z.enum(registrations).optional(),
      })
      .prefault({}),
  })
  .refine(
    ({ client, client2, mtls, mtls2 }) =>
      client.client_id === undefined ||
      [client2.client_id, client.jwks, client2.jwks, mtls, mtls2].every((each) => each !== undefined),
    'static clients need client_id, jwks, mtls and mtls2',
  )

export type Config = z.output<typeof schema>
export type ConfigInput = z.input<typeof schema>

/** One run of the plan: a configuration and its variant. */
export interface Plan {
  readonly config: Config
  readonly auth: AuthType
  readonly mode: Mode
  readonly registration: Registration
}

/** Reads a file with one configuration, or an array of them. */
export function readPlans(file: string): Plan[] {
  return plansOf(JSON.parse(readFileSync(file, 'utf8')))
}

export function plansOf(input: unknown): Plan[] {
  const result = z.array(schema).safeParse(Array.isArray(input) ? input : [input])
  if (!result.success) throw new TypeError(z.prettifyError(result.error))
  return result.data.flatMap((config) => {
    const { client_auth_type, ciba_mode, client_registration } = config.variant
    const registration =
      client_registration ?? (config.client.client_id === undefined ? 'dynamic_client' : 'static_client')
    return valuesOf(modes, ciba_mode).flatMap((mode) =>
      valuesOf(authTypes, client_auth_type).map((auth) => ({ config, auth, mode, registration })),
    )
  })
}

function valuesOf<T>(all: readonly T[], one: T | undefined): readonly T[] {
  return one === undefined ? all : [one]
}
