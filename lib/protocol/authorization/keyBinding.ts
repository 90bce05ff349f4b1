import type { Call, Client } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'

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

/** Reads the keys that tokens are bound to. */
export function createBindings({ required, checkDpop }: BindingParts) {
  function bind(client: Client, dpopJkt: string | undefined, certificateThumbprint: string | undefined): Binding {
    const { dpop_bound_access_tokens: wantsDpop, tls_client_certificate_bound_access_tokens: wantsMtls } =
      client.metadata
    if (wantsDpop && dpopJkt === undefined) throw missing('This client has to send a DPoP proof')
    if (wantsMtls && certificateThumbprint === undefined) throw missing('This client has to use its client certificate')
    if (dpopJkt !== undefined && !wantsMtls) return { dpopJkt }
    if (certificateThumbprint !== undefined && (wantsMtls || required)) return { certificateThumbprint }
    if (required) throw missing('Tokens are bound to a key here: send a DPoP proof or use a client certificate')
    return {}
  }

  return {
    /**
     * At the token endpoint, before anything is looked up: what the tokens of this call are bound to.
     * @throws BackchannelError `invalid_request` when the client or the server demands a key and none was shown.
     */
    async atToken(call: Call, client: Client, certificateThumbprint: string | undefined): Promise<Binding> {
      return bind(client, await checkDpop(call), certificateThumbprint)
    },

    /**
     * At the backchannel endpoint: the key to remember. Pushed tokens have no other (CIBA Core 5); a DPoP key that polls
     * and pings show here, or promise by `dpop_jkt`, is the only one that redeems (RFC 9449 10).
     */
    async atRequest(
      call: Call,
      client: Client,
      certificateThumbprint: string | undefined,
      promised: unknown,
    ): Promise<Binding> {
      const proven = await checkDpop(call)
      if (promised !== undefined && !isThumbprint(promised)) throw missing('dpop_jkt must be the thumbprint of a key')
      if (proven !== undefined && promised !== undefined && proven !== promised) {
        throw new BackchannelError('invalid_dpop_proof', 'dpop_jkt is not the key of the proof')
      }
      const dpopJkt = proven ?? promised
      if (client.deliveryMode === 'push') return bind(client, dpopJkt, certificateThumbprint)
      return dpopJkt === undefined ? {} : { dpopJkt }
    },
  }
}

function isThumbprint(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value)
}

function missing(description: string): BackchannelError {
  return new BackchannelError('invalid_request', description)
}
