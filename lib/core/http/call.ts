import type { Request } from 'express'
import type { Call, Form, ShownCertificate } from '../../contracts/contracts.ts'
import type { Settings } from '../../options/schema.ts'
import { certificateFrom } from '../../protocol/client/certificate.ts'

const noProofs: readonly string[] = []

/** How client authentication sees a request of Express. `aliases`: the address over mutual TLS by the one without. */
export function createCallOf(getCertificate: Settings['getCertificate'], aliases: ReadonlyMap<string, string>) {
  const certificateOf = (req: Request): ShownCertificate | undefined => {
    if (getCertificate === undefined) return certificateFrom(req)
    const x509 = getCertificate(req)
    return x509 === undefined ? undefined : { x509, chained: true }
  }
  return (req: Request, form: Form, url: string): Call => ({
    form,
    authorization: req.headers.authorization,
    // made of all headers when it is asked for the first time
    dpop: req.headers.dpop === undefined ? noProofs : (req.headersDistinct.dpop ?? noProofs),
    address: () => addressOf(req),
    url,
    mtlsUrl: aliases.get(url),
    certificate: () => certificateOf(req),
    whenGone: (listener) => whenClosed(req, listener),
  })
}

/** How a call is told of its end that comes with a signal. */
export function whenAborted(signal: AbortSignal): NonNullable<Call['whenGone']> {
  return (listener) => {
    if (signal.aborted) listener()
    signal.addEventListener('abort', listener)
    return () => signal.removeEventListener('abort', listener)
  }
}

/** A response that is closed before we answered it has lost its client. */
function whenClosed({ res, socket }: Request, listener: () => void): () => void {
  const place = res ?? socket
  place.once('close', listener)
  return () => place.off('close', listener)
}

/**
 * Behind a proxy that Express was not told of (`trust proxy`), all callers have the proxy's address: a budget of failures
 * would belong to them together, and anybody could use up that of a client. Then no address is known.
 */
function addressOf({ ip, headers, socket }: Request): string | undefined {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  return isForwarded && ip === socket.remoteAddress ? undefined : ip
}
