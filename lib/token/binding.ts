import type { Call, Client } from '../contracts.ts'
import { BackchannelError } from '../errors.ts'

/** The key that tokens are bound to; empty for bearer tokens. */
export interface Binding {
  /** Thumbprint of the DPoP key (RFC 9449 6). */
  readonly dpopJkt?: string
  /** Thumbprint of the client certificate (RFC 8705 3). */
  readonly certificateThumbprint?: string
}

export interface BindingParts {
  /** Bearer tokens are not handed out at all. */
  readonly required: boolean
  /** The thumbprint of the proven key, or `undefined` without a proof. Throws when the proof is no good. */
  checkDpop(call: Call): Promise<string | undefined>
}

/**
 * Says what the tokens of this call are bound to, before anything is looked up.
 * @throws BackchannelError `invalid_request` when the client or the server demands a key and none was shown.
 */
export function createReadBinding({ required, checkDpop }: BindingParts) {
  return async (call: Call, client: Client, certificateThumbprint: string | undefined): Promise<Binding> => {
    const { dpop_bound_access_tokens: wantsDpop, tls_client_certificate_bound_access_tokens: wantsMtls } =
      client.metadata
    const dpopJkt = await checkDpop(call)
    if (wantsDpop && dpopJkt === undefined) throw missing('This client has to send a DPoP proof')
    if (wantsMtls && certificateThumbprint === undefined) throw missing('This client has to use its client certificate')
    if (dpopJkt !== undefined && !wantsMtls) return { dpopJkt }
    if (certificateThumbprint !== undefined && (wantsMtls || required)) return { certificateThumbprint }
    if (required) throw missing('Tokens are bound to a key here: send a DPoP proof or use a client certificate')
    return {}
  }
}

function missing(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}
