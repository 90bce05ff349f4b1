import { type Expected, invalidRequest, refused } from '../checks/refused.ts'
import { skipWithout } from '../findings.ts'
import { type Asking, ask, decide, issuedBy, pinged } from '../flow.ts'
import { alphanumerics, type Claims, epochSeconds, sign, unsecured, withBadSignature } from '../jws.ts'
import type { Module, Trial } from '../trial.ts'

const minutes = (count: number) => epochSeconds() + count * 60

/** Requests that the backchannel authentication endpoint refuses with `invalid_request`. */
export const refusedRequests: readonly Module[] = [
  object('M10', 'missing-aud', without('aud')),
  object('M11', 'bad-aud', () => ({ aud: 'https://other.example.com/' })),
  object('M12', 'missing-iss', without('iss')),
  object('M13', 'bad-iss', ({ client2 }) => ({ iss: client2.clientId })),
  object('M14', 'missing-exp', without('exp')),
  object('M15', 'expired-exp', () => ({ exp: minutes(-60) })),
  object('M16', 'exp-is-70-minutes-in-future', () => ({ exp: minutes(70) })),
  object('M17', 'missing-iat', without('iat')),
  object('M18', 'missing-nbf', without('nbf')),
  object('M19', 'nbf-is-10-minutes-in-future', () => ({ nbf: minutes(10) })),
  object('M20', 'nbf-is-70-minutes-in-past', () => ({ nbf: minutes(-70) })),
  object('M21', 'missing-jti', without('jti')),
  refusal('M22', 'ensure-request-object-signature-algorithm-is-none-fails', () => ({
    sign: async (claims) => unsecured(claims),
  })),
  refusal('M23', 'ensure-request-object-signature-algorithm-is-bad-fails', () => ({
    sign: async (claims, signing) => withBadSignature(await sign(claims, signing)),
  })),
  refusal('M24', 'ensure-request-object-signature-algorithm-is-RS256-fails', ({ client1 }) => {
    skipWithout(client1.key.kty === 'RSA', 'RS256 needs an RSA key')
    return { sign: (claims, signing) => sign(claims, { ...signing, alg: 'RS256' }) }
  }),
  refusal('M25', 'ensure-request-object-signed-by-other-client-fails', ({ client2 }) => ({
    sign: (claims, signing) => sign(claims, { ...signing, key: client2.key }),
  })),
  refusal('M26', 'ensure-authorization-request-with-multiple-hints-fails', () => ({
    parameters: { login_hint: alphanumerics(12), login_hint_token: alphanumerics(40), binding_message: undefined },
  })),
  refusal('M41', 'ensure-unsigned-backchannel-authorization-request-fails', () => ({
    form: (parameters) => Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])),
  })),
]

/** A request whose answer has to be one of the allowed errors. */
export function refusal(
  id: string,
  name: string,
  asking: (trial: Trial) => Asking | Promise<Asking>,
  {
    allowed = invalidRequest,
    ...rest
  }: { readonly allowed?: readonly Expected[]; readonly only?: NonNullable<Module['only']> } = {},
): Module {
  return { id, name, ...rest, run: async (trial) => mustRefuse(trial, await asking(trial), allowed) }
}

async function mustRefuse(trial: Trial, asking: Asking, allowed: readonly Expected[]): Promise<void> {
  const { answer, guest } = await ask(trial, trial.client1, asking)
  await trial.check(refused(answer, allowed))
  if (answer.status !== 200 || guest === undefined) return
  // already failed: the ping that will come is waited for, so that it meets nobody else
  const issued = issuedBy(answer, trial.client1, guest)
  await decide(trial, issued, 'allow')
  await pinged(trial, issued)
}

/** A request object with other claims; `undefined` takes one away. */
function object(id: string, what: string, changes: (trial: Trial) => Claims): Module {
  return refusal(id, `ensure-request-object-${what}-fails`, (trial) => ({
    claims: (claims) => ({ ...claims, ...changes(trial) }),
  }))
}

function without(name: string) {
  return () => ({ [name]: undefined })
}
