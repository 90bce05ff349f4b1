import type { KeyBinding } from '../../contracts/tokens.ts'
import type { RegisteredClient } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { BackchannelError, invalidRequest } from '../../core/errors.ts'
import type { Call } from '../../core/http/call.ts'
import { checkDpop } from '../client/dpop.ts'

/**
 * At the token endpoint, before anything is looked up: what the tokens of this call are bound to.
 * @throws BackchannelError `invalid_request` when the client or the server demands a key and none was shown;
 * `invalid_dpop_proof` and `use_dpop_nonce` for a proof that is no good.
 */
export async function bindingAtToken(
  ctx: Context,
  call: Call,
  client: RegisteredClient,
  certificateThumbprint: string | undefined,
): Promise<KeyBinding> {
  const dpopJkt = call.dpop.length === 0 ? undefined : await checkDpop(ctx, call)
  return bindingOf(ctx, client, dpopJkt, certificateThumbprint)
}

/**
 * At the backchannel endpoint: the key to remember. Pushed tokens are bound to it, as no token request follows (CIBA
 * Core 5). For poll and ping, a DPoP key that is shown here, or promised by `dpop_jkt`, is the only one that redeems
 * (RFC 9449 10).
 * @param promised `dpop_jkt` of the request.
 * @throws BackchannelError as `bindingAtToken`.
 */
export async function bindingAtRequest(
  ctx: Context,
  call: Call,
  client: RegisteredClient,
  certificateThumbprint: string | undefined,
  promised: unknown,
): Promise<KeyBinding> {
  const proven = call.dpop.length === 0 ? undefined : await checkDpop(ctx, call)
  if (promised !== undefined && !isThumbprint(promised)) {
    throw invalidRequest('dpop_jkt must be the thumbprint of a key')
  }
  if (proven !== undefined && promised !== undefined && proven !== promised) {
    throw new BackchannelError('invalid_dpop_proof', 'dpop_jkt is not the key of the proof')
  }
  const dpopJkt = proven ?? promised
  if (client.deliveryMode === 'push') return bindingOf(ctx, client, dpopJkt, certificateThumbprint)
  return dpopJkt === undefined ? {} : { dpopJkt }
}

function bindingOf(
  { rules }: Context,
  { metadata }: RegisteredClient,
  dpopJkt: string | undefined,
  certificateThumbprint: string | undefined,
): KeyBinding {
  const { dpop_bound_access_tokens: wantsDpop, tls_client_certificate_bound_access_tokens: wantsMtls } = metadata
  if (wantsDpop && dpopJkt === undefined) throw invalidRequest('This client has to send a DPoP proof')
  if (wantsMtls && certificateThumbprint === undefined) {
    throw invalidRequest('This client has to use its client certificate')
  }
  if (dpopJkt !== undefined && !wantsMtls) return { dpopJkt }
  if (certificateThumbprint !== undefined && (wantsMtls || rules.senderConstrained)) return { certificateThumbprint }
  if (rules.senderConstrained) {
    throw invalidRequest('Tokens are bound to a key here: send a DPoP proof or use a client certificate')
  }
  return {}
}

function isThumbprint(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value)
}
