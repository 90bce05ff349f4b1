import { found } from '../checks/catalogue.ts'
import { clientOrRequest, type Expected, expected, notYet, tokenRefused } from '../checks/refused.ts'
import { tls } from '../checks/tls.ts'
import { refusedWithoutCertificate } from '../checks/withoutCertificate.ts'
import { skipWithout } from '../findings.ts'
import { decide, pinged, start } from '../flow.ts'
import { type Answer, createHttp, membersOf } from '../http.ts'
import { askToken, backchannelCredentials, type Form, type Redemption, tokenCredentials } from '../requests.ts'
import type { Module, Trial } from '../trial.ts'
import { refusal } from './refused.ts'

const invalidClient = expected('invalid_client', 400, 401)
const invalidRequest = expected('invalid_request', 400)
const invalidGrant = expected('invalid_grant', 400)

/** Who may ask, and who may collect. */
export const clientChecks: readonly Module[] = [
  redemption('M27', 'ensure-wrong-auth-req-id-in-token-endpoint-request', {
    ask: (trial, authReqId) => askToken(trial, trial.client2, authReqId),
    allowed: [invalidGrant],
  }),
  refusal(
    'M28',
    'ensure-different-client-id-and-issuer-in-backchannel-authorization-request',
    ({ client2 }) => ({ credentials: { client_id: client2.clientId } }),
    { only: 'mtls', allowed: [expected('invalid_client', 401)] },
  ),
  redemption('M29', 'ensure-wrong-client-id-in-token-endpoint-request', {
    only: 'mtls',
    credentials: async ({ client2 }) => ({ client_id: client2.clientId }),
    allowed: [invalidClient],
  }),
  refusal(
    'M30',
    'ensure-wrong-client-id-in-backchannel-authorization-request',
    ({ client2 }) => ({
      credentials: { client_id: client2.clientId },
      claims: (claims) => ({ ...claims, iss: client2.clientId }),
    }),
    { only: 'mtls', allowed: clientOrRequest },
  ),
  redemption('M31', 'ensure-without-client-assertion-in-token-endpoint-request', {
    only: 'private_key_jwt',
    credentials: async ({ client1 }) => ({ client_id: client1.clientId }),
    allowed: [invalidClient, invalidRequest],
  }),
  refusal(
    'M32',
    'ensure-without-client-assertion-in-backchannel-authorization-request',
    ({ client1 }) => ({ credentials: { client_id: client1.clientId } }),
    { only: 'private_key_jwt', allowed: clientOrRequest },
  ),
  refusal(
    'M33',
    'ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails',
    async (trial) => {
      skipWithoutRsa(trial)
      return { credentials: await backchannelCredentials(trial, trial.client1, { alg: 'RS256' }) }
    },
    { only: 'private_key_jwt', allowed: clientOrRequest },
  ),
  redemption('M34', 'ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails', {
    only: 'private_key_jwt',
    credentials(trial) {
      skipWithoutRsa(trial)
      return tokenCredentials(trial, trial.client1, { alg: 'RS256' })
    },
    allowed: [invalidClient],
  }),
  {
    id: 'M35',
    name: 'ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds',
    only: 'private_key_jwt',
    run: issuerAsAudience,
  },
  { id: 'M43', name: 'ensure-mtls-holder-of-key-required', run: holderOfKey },
]

interface Wrong {
  readonly only?: Module['only']
  readonly ask?: (trial: Trial, authReqId: string) => Promise<Answer>
  readonly credentials?: (trial: Trial) => Promise<Form>
  readonly allowed: readonly Expected[]
}

/** A token call that has to be refused, and must change nothing in the request. */
function redemption(id: string, name: string, { only, ask, credentials, allowed }: Wrong): Module {
  return {
    id,
    name,
    ...(only === undefined ? {} : { only }),
    async run(trial) {
      const wrong: Redemption = credentials === undefined ? {} : { credentials: await credentials(trial) }
      const issued = await start(trial, trial.client1)
      const answer = await (ask?.(trial, issued.authReqId) ?? askToken(trial, trial.client1, issued.authReqId, wrong))
      await trial.check(tokenRefused(answer, allowed))
      if (trial.mode === 'poll') return
      await decide(trial, issued, 'allow')
      await pinged(trial, issued)
    },
  }
}

async function issuerAsAudience(trial: Trial): Promise<void> {
  const { client1, server } = trial
  const issued = await start(trial, client1)
  const credentials = await tokenCredentials(trial, client1, { aud: server.issuer })
  const answer = await askToken(trial, client1, issued.authReqId, { credentials })
  await trial.check(tokenRefused(answer, [...notYet, invalidClient]))
  if (membersOf(answer).error === 'invalid_client') {
    await trial.check([found('M35 audience', 'the issuer is not taken as audience at the token endpoint')])
  }
  if (trial.mode === 'poll') return
  await decide(trial, issued, 'allow')
  await pinged(trial, issued)
}

async function holderOfKey(trial: Trial): Promise<void> {
  const { check, server, client1 } = trial
  const authorization = server.endpoint('authorization_endpoint')
  if (authorization === undefined) await check([found('TLS endpoint', 'no authorization_endpoint to look at')])
  else await check(tls(authorization, {}))
  const others = [
    [server.tokenEndpoint, true],
    [server.mtlsEndpoint('userinfo_endpoint'), false],
    [server.mtlsEndpoint('registration_endpoint'), false],
  ] as const
  for (const [url, dhe] of others) if (url !== undefined) await check(tls(url, { otherSuites: true, dhe }))

  const issued = await start(trial, client1)
  const bare = createHttp()
  try {
    const answer = await askToken(trial, client1, issued.authReqId, { http: bare }).catch(() => undefined)
    if (answer !== undefined) await check(refusedWithoutCertificate(answer, trial.auth))
  } finally {
    await bare.close()
  }
  if (trial.mode === 'poll') return
  await decide(trial, issued, 'allow')
  await pinged(trial, issued)
}

function skipWithoutRsa({ client1 }: Trial): void {
  skipWithout(client1.key.kty === 'RSA', 'RS256 needs an RSA key')
}
