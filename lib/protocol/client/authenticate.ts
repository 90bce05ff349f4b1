import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Awaitable, Call, Client, ClientAuthMethod, ClientMetadata } from '../../contracts/contracts.ts'
import type { Attempts } from '../limits/clientFailures.ts'
import { type Credentials, credentialsOf, isClientId, refuse, type Verdict } from './credentials.ts'

/** Who is asking, and the certificate it showed if there was one. */
export interface Authenticated {
  readonly client: Client
  /** `x5t#S256` of the client certificate on the connection (RFC 8705 3.1). */
  readonly certificateThumbprint?: string | undefined
}

export interface AuthenticateParts {
  readonly clock: () => number
  find(clientId: string): Awaitable<ClientMetadata | undefined | null>
  /** Checks metadata. Throws when the registration is broken. */
  read(metadata: ClientMetadata): Client
  /** The methods on offer. */
  readonly methods: readonly ClientAuthMethod[]
  /** Is this assertion the client's, for us, and new? */
  checkAssertion(assertion: string, client: Client): Promise<Verdict>
  /** Is the certificate on the connection the client's? */
  checkCertificate(call: Call, client: Client): Promise<Verdict>
  thumbprintOf(call: Call): string | undefined
  /** Defaults to as many as anybody likes. */
  readonly attempts?: Attempts
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
  const nobody = randomBytes(32)
  const secrets = new WeakMap<Client, Buffer>()

  return async (call: Call): Promise<Authenticated> => {
    const credentials = credentialsOf(call)
    const { clientId } = credentials
    await parts.attempts?.refuseGuessing(clientId, call)
    const metadata = isClientId(clientId) ? await parts.find(clientId) : undefined
    const client = metadata === undefined || metadata === null ? undefined : readOrRefuse(metadata, call)
    const misfit = misfitOf(client, credentials)
    // the comparison is made for strangers too, so that both refusals cost the same
    const verdict = await verdictOn(credentials, misfit === undefined ? client : undefined, call)
    if (client === undefined || misfit !== undefined || verdict !== true) {
      await parts.attempts?.countFailure(clientId, call)
      throw refuse(call, misfit ?? verdict)
    }
    const certificateThumbprint = parts.thumbprintOf(call)
    return certificateThumbprint === undefined ? { client } : { client, certificateThumbprint }
  }

  /** Why these cannot be the credentials of this client, whatever they prove. */
  function misfitOf(client: Client | undefined, { clientId, kind }: Credentials): string | undefined {
    if (client === undefined || client.id !== clientId) return 'there is no such client'
    const { authMethod, metadata } = client
    if (!offered.has(authMethod)) return `${authMethod} is not offered here`
    if (kindOf[authMethod] !== kind) return `the client is registered for ${authMethod}`
    return isOver(metadata, authMethod, parts.clock()) ? 'client_secret_expires_at is past' : undefined
  }

  function readOrRefuse(metadata: ClientMetadata, call: Call): Client {
    try {
      return parts.read(metadata)
    } catch (thrown) {
      throw refuse(call, thrown) // a broken registration is for the host's log, not for the caller
    }
  }

  function verdictOn(credentials: Credentials, client: Client | undefined, call: Call): Verdict | Promise<Verdict> {
    if ('secret' in credentials)
      return timingSafeEqual(digest(credentials.secret), secretOf(client)) || 'the secret is wrong'
    if (client === undefined) return 'there is no such client'
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

/** Has the secret that this method uses expired (RFC 7591 3.2.1)? 0: it never does. */
function isOver({ client_secret_expires_at: end = 0 }: ClientMetadata, method: ClientAuthMethod, now: number): boolean {
  return method.startsWith('client_secret') && end > 0 && end * 1000 <= now
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
