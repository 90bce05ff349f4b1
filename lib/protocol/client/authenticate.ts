import type { ClientAuthMethod } from '../../contracts/clients.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { equalSecrets } from '../../core/crypto/handles.ts'
import { BackchannelError } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { countFailure, refuseLockedOut } from '../limits/clientFailures.ts'
import { checkAssertion } from './assertion.ts'
import { checkCertificate, thumbprintOf } from './certificate.ts'
import { type Credentials, credentialsOf, refuse, type Verdict } from './credentials.ts'

/** Who is asking, and the certificate it showed if there was one. */
export interface Authenticated {
  readonly client: RegisteredClient
  /** `x5t#S256` of the client certificate on the connection (RFC 8705 3.1). */
  readonly certificateThumbprint: string | undefined
}

const kindOf: Readonly<Record<ClientAuthMethod, Credentials['kind']>> = {
  client_secret_basic: 'basic',
  client_secret_post: 'post',
  client_secret_jwt: 'assertion',
  private_key_jwt: 'assertion',
  tls_client_auth: 'certificate',
  self_signed_tls_client_auth: 'certificate',
}

/**
 * Authenticates the client by its registered method and no other (OpenID Connect Core 9, CIBA Core 7.1).
 * @throws BackchannelError `invalid_client` 401 without a reason, 429 after too many failures; `invalid_request` for
 * two methods at once; `temporarily_unavailable` when clients, their keys or a counter are out of reach.
 */
export async function authenticate(ctx: Context, call: Call): Promise<Authenticated> {
  const credentials = credentialsOf(call)
  const { clientId } = credentials
  await refuseLockedOut(ctx, clientId, call)
  const client = await ctx.clients.find(clientId).catch((thrown) => {
    // a broken registration is for the host's log, not for the caller
    throw thrown instanceof BackchannelError ? thrown : refuse(call, thrown)
  })
  const misfit = misfitOf(ctx, client, credentials)
  // the comparison is made for unknown clients too, so that both refusals cost the same
  const verdict = await verdictOn(ctx, credentials, misfit === undefined ? client : undefined, call)
  if (client === undefined || misfit !== undefined || verdict !== true) {
    await countFailure(ctx, clientId, call)
    throw refuse(call, misfit ?? verdict)
  }
  return { client, certificateThumbprint: thumbprintOf(call) }
}

/** Why these cannot be the credentials of this client, whatever they prove. */
function misfitOf(
  ctx: Context,
  client: RegisteredClient | undefined,
  { clientId, kind }: Credentials,
): string | undefined {
  if (client === undefined || client.id !== clientId) return 'there is no such client'
  const { authMethod, metadata } = client
  if (!ctx.settings.clientAuth.methods.includes(authMethod)) return `${authMethod} is not offered here`
  if (kindOf[authMethod] !== kind) return `the client is registered for ${authMethod}`
  const { client_secret_expires_at: end = 0 } = metadata // 0: it never does (RFC 7591 3.2.1)
  const hasExpired = authMethod.startsWith('client_secret') && end > 0 && end * 1000 <= ctx.clock()
  return hasExpired ? 'client_secret_expires_at is past' : undefined
}

function verdictOn(
  ctx: Context,
  credentials: Credentials,
  client: RegisteredClient | undefined,
  call: Call,
): Verdict | Promise<Verdict> {
  if ('secret' in credentials) return isSecretOf(client, credentials.secret) || 'the secret is wrong'
  if (client === undefined) return 'there is no such client'
  return credentials.kind === 'assertion'
    ? checkAssertion(ctx, credentials.assertion, client)
    : checkCertificate(ctx, call, client)
}

/** In constant time; where there is no secret, it is compared all the same. */
function isSecretOf(client: RegisteredClient | undefined, secret: string): boolean {
  const registered = client?.metadata.client_secret
  const isEqual = equalSecrets(secret, registered ?? '')
  return registered !== undefined && isEqual
}
