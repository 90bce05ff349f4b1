import { readFileSync } from 'node:fs'
import type { BackchannelOptions, ClientMetadata, User } from 'express-ciba'
import { z } from 'zod'

const secret = 'a-secret-of-at-least-32-characters'
const grantTypes = ['urn:openid:params:grant-type:ciba', 'refresh_token']

/** One JSON file describes a whole provider. Every member has a default, so that `npm run op` alone starts one. */
const schema = z.strictObject({
  /** Defaults to the URL it listens at. */
  issuer: z.string().optional(),
  host: z.string().default('127.0.0.1'),
  /** 0 takes a free port. */
  port: z.int().min(0).max(65_535).default(0),
  /** Where requests live: `redis://…` or `postgres://…`. Defaults to the memory of this process. */
  store: z
    .string()
    .regex(/^(rediss?|postgres(ql)?):/, 'must be a redis: or postgres: URL')
    .optional(),
  /** HTTPS beside HTTP, and the issuer is there. PEM. */
  tls: z
    .strictObject({
      cert: z.string(),
      key: z.string(),
      /** Signs the certificates of `tls_client_auth` clients. */
      ca: z.string().optional(),
      port: z.int().min(0).max(65_535).default(0),
      /** Asks for client certificates there alone, and publishes it as `mtls_endpoint_aliases`. */
      mtlsPort: z.int().min(0).max(65_535).optional(),
    })
    .optional(),
  clients: z.array(z.looseObject({ client_id: z.string() })).default([
    {
      client_id: 'basic',
      client_secret: secret,
      client_name: 'Corner Bank till',
      token_endpoint_auth_method: 'client_secret_basic',
      backchannel_token_delivery_mode: 'poll',
      grant_types: grantTypes,
    },
    {
      client_id: 'post',
      client_secret: secret,
      client_name: 'Corner Bank call centre',
      token_endpoint_auth_method: 'client_secret_post',
      backchannel_token_delivery_mode: 'poll',
      grant_types: grantTypes,
    },
  ]),
  users: z
    .array(z.looseObject({ sub: z.string() }))
    .min(1)
    .default([{ sub: 'alice', name: 'Alice', email: 'alice@example.com', phone_number: '+15550100' }]),
  /** Serve `approve_url`: whoever calls it answers for the user. For tests and measurements only. */
  approve: z.boolean().default(false),
  /** Serve registration of clients (RFC 7591) to whoever asks. For tests only. */
  registration: z.boolean().default(false),
  /** Any option of `createBackchannelRouter` that JSON can hold. */
  options: z.record(z.string(), z.unknown()).default({}),
})

export type Config = Omit<z.output<typeof schema>, 'clients' | 'users' | 'options'> & {
  readonly clients: readonly ClientMetadata[]
  readonly users: readonly User[]
  readonly options: Partial<BackchannelOptions>
}

export function readConfig(file: string | undefined): Config {
  const result = schema.safeParse(file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8')))
  if (!result.success) throw new TypeError(`${file}: ${z.prettifyError(result.error)}`)
  // the engine checks clients, users and options itself, and names what is wrong
  return result.data as unknown as Config
}
