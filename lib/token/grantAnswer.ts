import type { GrantAnswer } from '../contracts.ts'
import type { TokenAnswer } from './redeem.ts'

/** A token answer as a route of the host's own may send it. */
export function grantAnswer({ status, body, headers, sub }: TokenAnswer): GrantAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
    body: typeof body === 'string' ? JSON.parse(body) : body,
    ...(sub === undefined ? {} : { sub }),
  }
}
