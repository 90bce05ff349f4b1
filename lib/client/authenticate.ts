import { hash, timingSafeEqual } from 'node:crypto'
import type { Awaitable, Call, Client, ClientAuthMethod, ClientMetadata } from '../contracts.ts'
import { type Credentials, credentialsOf, refuse } from './credentials.ts'

/** Who is asking, and the certificate it showed if there was one. */
export interface Authenticated {
  readonly client: Client
  /** `x5t#S256` of the client certificate on the connection (RFC 8705 3.1). */
  readonly certificateThumbprint?: string | undefined
}

export interface AuthenticateParts {
  find(clientId: string): Awaitable<ClientMetadata | undefined | null>
  /** Checks metadata. Throws when the registration is broken. */
  read(metadata: ClientMetadata): Client
  /** The methods on offer. */
  readonly methods: readonly ClientAuthMethod[]
  /** Is this assertion the client's, for us, and new? */
  checkAssertion(assertion: string, client: Client): Promise<boolean>
  /** Is the certificate on the connection the client's? */
  checkCertificate(call: Call, client: Client): Promise<boolean>
  thumbprintOf(call: Call): string | undefined
}

const kindOf: Record<ClientAuthMethod, Credentials['kind']> = {
  client_secret_basic: 'basic',
  client_secret_post: 'post',
  client_secret_jwt: 'assertion',
  private_key_jwt: 'assertion',
  tls_client_auth: 'certificate',
  self_signed_tls_client_auth: 'certificate',
}

/** Authenticates the client by its registered method and no other (OpenID Connect Core 9, CIBA Core 7.1). */
export function createAuthenticate(parts: AuthenticateParts) {
  const offered = new Set(parts.methods)
  const nobody = digest('')
  const secrets = new WeakMap<Client, Buffer>()

  return async (call: Call): Promise<Authenticated> => {
    const credentials = credentialsOf(call)
    const metadata = await parts.find(credentials.clientId)
    const client = metadata === undefined || metadata === null ? undefined : readOrRefuse(metadata, call)
    const fits =
      client !== undefined &&
      client.id === credentials.clientId &&
      offered.has(client.authMethod) &&
      kindOf[client.authMethod] === credentials.kind
    // the comparison is made for strangers too, so that both refusals cost the same
    const proven = await isProven(credentials, fits ? client : undefined, call)
    if (!fits || !proven) throw refuse(call)
    const certificateThumbprint = parts.thumbprintOf(call)
    return certificateThumbprint === undefined ? { client } : { client, certificateThumbprint }
  }

  function readOrRefuse(metadata: ClientMetadata, call: Call): Client {
    try {
      return parts.read(metadata)
    } catch (thrown) {
      throw refuse(call, thrown) // a broken registration is for the host's log, not for the caller
    }
  }

  function isProven(credentials: Credentials, client: Client | undefined, call: Call): boolean | Promise<boolean> {
    if ('secret' in credentials)
      return timingSafeEqual(digest(credentials.secret), secretOf(client)) && client !== undefined
    if (client === undefined) return false
    return credentials.kind === 'assertion'
      ? parts.checkAssertion(credentials.assertion, client)
      : parts.checkCertificate(call, client)
  }

  function secretOf(client: Client | undefined): Buffer {
    if (client?.metadata.client_secret === undefined) return nobody
    const known = secrets.get(client) ?? digest(client.metadata.client_secret)
    secrets.set(client, known)
    return known
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
