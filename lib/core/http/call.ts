import type { X509Certificate } from 'node:crypto'
import type { Request } from 'express'
import type { Form } from '../../contracts/channel.ts'
import type { TokenOverrides } from '../../contracts/request.ts'

/** A client certificate whose private key the TLS layer has proven. */
export interface ShownCertificate {
  readonly x509: X509Certificate
  /** Its chain ends at an authority that the server trusts (needed for `tls_client_auth`). */
  readonly chained: boolean
}

/** One call of a client at the backchannel, token, revocation or introspection endpoint, freed from Express. */
export interface Call {
  readonly form: Form
  /** Value of the `Authorization` header. */
  readonly authorization?: string | undefined
  /** Values of the `DPoP` header, usually none or one. */
  readonly dpop: readonly string[]
  /** IP address of the caller, by Express's `trust proxy`; `undefined` when it cannot tell. Read only when needed. */
  address?(): string | undefined
  /** Absolute URL of the endpoint as configured, never from the `Host` header. */
  readonly url: string
  /** Its alias for mutual TLS (RFC 8705 5), if it has one. */
  readonly mtlsUrl?: string | undefined
  /** Certificate the client showed in the TLS handshake. Read only when needed. */
  certificate(): ShownCertificate | undefined
  /**
   * Calls `listener` when the caller goes away before it was answered; returns what stops that. Absent: nothing can
   * tell, and the call is not kept waiting (option `polling.holdSeconds`).
   */
  whenGone?(listener: () => void): () => void
  /** What the trusted backend that hands the call over changes of it. */
  readonly overrides?: CallOverrides | undefined
}

/** What a trusted backend changes of one token call (Authlete's `/auth/token`). */
export interface CallOverrides {
  /** `htm` of the DPoP proof. Defaults to `POST`. */
  readonly method?: string
  /** `htu` of the DPoP proof. Defaults to the URL of the endpoint. */
  readonly url?: string
  /** Demand a nonce of ours in the proof, also where the server does not. */
  readonly nonceRequired?: boolean
  /** Added to what the approval said of the tokens; where both say something, this call wins. */
  readonly tokens?: TokenOverrides
  /** The access token to hand out in place of a minted one. */
  readonly accessToken?: string
}

const noProofs: readonly string[] = []

/** The part of the context that `callOf` needs: the aliases of the endpoints, and how certificates are read. */
interface CallSettings {
  readonly aliases: ReadonlyMap<string, string>
  certificateOf(req: Request): ShownCertificate | undefined
}

/** A request of Express as a `Call`. `url`: of the endpoint, as configured. */
export function callOf(ctx: CallSettings, req: Request, form: Form, url: string): Call {
  return {
    form,
    authorization: req.headers.authorization,
    // `headersDistinct` is built from all headers when it is first read
    dpop: req.headers.dpop === undefined ? noProofs : (req.headersDistinct.dpop ?? noProofs),
    address: () => addressOf(req),
    url,
    mtlsUrl: ctx.aliases.get(url),
    certificate: ctx.certificateOf.bind(undefined, req),
    whenGone: (listener) => whenClosed(req, listener),
  }
}

/** `whenGone` of a call that comes with an abort signal. */
export function whenAborted(signal: AbortSignal): NonNullable<Call['whenGone']> {
  return (listener) => {
    if (signal.aborted) listener()
    signal.addEventListener('abort', listener)
    return () => signal.removeEventListener('abort', listener)
  }
}

/** A response that is closed before we answered it has lost its client. */
function whenClosed({ res, socket }: Request, listener: () => void): () => void {
  const source = res ?? socket
  source.once('close', listener)
  return () => source.off('close', listener)
}

/**
 * Behind a proxy that Express was not told of (`trust proxy`), all callers seem to have the proxy's address. They would
 * share one budget of failures, and anybody could use up that of a client: the address counts as unknown.
 */
function addressOf({ ip, headers, socket }: Request): string | undefined {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  return isForwarded && ip === socket.remoteAddress ? undefined : ip
}
