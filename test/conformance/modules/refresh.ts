import { found } from '../checks/catalogue.ts'
import { claimsOf, idToken } from '../checks/idToken.ts'
import { refreshed, refreshTokenText } from '../checks/refreshed.ts'
import { expected, tokenRefused } from '../checks/refused.ts'
import { resource } from '../checks/resource.ts'
import { tokens } from '../checks/tokens.ts'
import { skipWithout } from '../findings.ts'
import { standardFlow } from '../flow.ts'
import { membersOf } from '../http.ts'
import type { Party } from '../party.ts'
import { askForGrant, backchannelCredentials, type Form } from '../requests.ts'
import { callResource } from '../resource.ts'
import type { Module, Trial } from '../trial.ts'

export const refresh: readonly Module[] = [{ id: 'M42', name: 'refresh-token', refresh: true, run }]

async function run(trial: Trial): Promise<void> {
  const { client1, client2, server, check } = trial
  await refreshOnce(trial, client1, server.issuer, { scope: client1.scope })
  const token = await refreshOnce(trial, client2, server.endpoint('token_endpoint') ?? '', {})
  const stolen = await askForGrant(trial, client1, grantOf(token))
  await check(tokenRefused(stolen, [expected('invalid_grant', 400)]))
}

/** @returns the newest refresh token */
async function refreshOnce(trial: Trial, party: Party, aud: string, scope: Form): Promise<string> {
  const { check, auth } = trial
  const credentials = auth === 'mtls' ? {} : { credentials: await backchannelCredentials(trial, party, { aud }) }
  const before = await standardFlow(trial, party, credentials)
  const { refresh_token: token, id_token: oldIdToken } = membersOf(before.answer)
  if (token === undefined) await notIssued(trial)
  await check(refreshTokenText(token))

  await trial.sleep(1)
  const answer = await askForGrant(trial, party, { ...grantOf(String(token)), ...scope })
  const members = membersOf(answer)
  await check(tokens(answer))
  if (members.id_token !== undefined) {
    await check(
      idToken({
        issuer: trial.server.issuer,
        jwks: trial.server.jwks,
        clientId: party.clientId,
        clientKeys: party.keys,
        now: Date.now() / 1000,
        response: members,
      }),
    )
    await check(refreshed(claimsOf(oldIdToken) ?? {}, claimsOf(members.id_token) ?? {}))
  }
  await check(resource(await callResource(trial, party, String(members.access_token)), { now: Date.now() }))
  return String(members.refresh_token ?? token)
}

async function notIssued({ server, check }: Trial): Promise<void> {
  const { grant_types_supported: grants } = membersOf(server.document)
  if (Array.isArray(grants) && grants.includes('refresh_token')) {
    await check([found('M42 not issued', 'grant_types_supported has refresh_token, but none was issued')])
  }
  skipWithout(false, 'no refresh token was issued')
}

function grantOf(token: string): Form {
  return { grant_type: 'refresh_token', refresh_token: token }
}
