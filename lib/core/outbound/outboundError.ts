/** `forbidden`: this URL or its address is off limits. The others may be different the next time. */
export type OutboundFailure = 'forbidden' | 'timeout' | 'unreachable' | 'bad_answer'

export class OutboundError extends Error {
  override readonly name = 'OutboundError'
  readonly code: OutboundFailure

  constructor(code: OutboundFailure, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}

/** Whatever undici, TLS or the resolver threw. */
export function asOutboundError(thrown: unknown): OutboundError {
  if (thrown instanceof OutboundError) return thrown
  const { name, code } = thrown as { name?: string; code?: string }
  const late = name === 'TimeoutError' || code?.endsWith('_TIMEOUT') || code === 'ETIMEDOUT'
  return late
    ? new OutboundError('timeout', 'no answer in time', { cause: thrown })
    : new OutboundError('unreachable', 'no answer', { cause: thrown })
}
