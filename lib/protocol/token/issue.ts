import type { Form } from '../../contracts/channel.ts'
import type { RequestRecord, TokenProperty } from '../../contracts/request.ts'
import type { Grant, IssueTokens, KeyBinding, TokenResponse } from '../../contracts/tokens.ts'
import type { Client } from '../../core/client.ts'
import type { Context } from '../../core/context.ts'
import { aad } from '../../core/crypto/vault.ts'
import { omitUndefined } from '../../core/json.ts'
import { userClaims } from '../authorization/claims.ts'
import { narrowGrant } from '../authorization/narrow.ts'
import { makeAccessToken } from './accessToken.ts'
import { type GrantSource, grantOf, lifetimesOf } from './grant.ts'
import { makeIdToken } from './idToken.ts'
import { encryptIdToken } from './idTokenEncryption.ts'
import { firstRefreshToken, keepRefreshToken } from './refreshToken.ts'

/** A push answers no token request, so nothing in one can narrow it. */
const nothingAsked: Form = { values: new Map(), empty: new Set(), resources: [] }

/** Makes the token response of a grant: the host's issuer does, or we do, and store the refresh token's family. */
export async function issueTokens(
  ctx: Context,
  grant: Grant,
  client: Client,
  source: GrantSource,
): Promise<TokenResponse> {
  const { issue } = ctx.tokenHooks
  if (issue !== undefined) return issuedByHost(ctx, grant, client, issue)
  const refreshToken = await firstRefreshToken(ctx, grant, client)
  const tokens = await mint(ctx, grant, client, refreshToken)
  if (refreshToken !== undefined) await keepRefreshToken(ctx, refreshToken, grant, source)
  return tokens
}

/**
 * Makes the token response of an approved request that is pushed, its ID token bound to the `auth_req_id` (CIBA Core
 * 10.3.1).
 */
export async function mintPushed(
  ctx: Context,
  { id, details, answer: approval }: RequestRecord,
  client: Client,
  authReqId: string,
): Promise<TokenResponse> {
  if (approval?.result !== 'approved') throw new Error('tokens are pushed for approved requests alone')
  const sealed = approval.tokens?.sealedAccessToken
  const accessToken = sealed && ctx.vault.open(sealed, aad('accessToken', id))
  const { dpopJkt, certificateThumbprint } = details
  const binding: KeyBinding = omitUndefined({ dpopJkt, certificateThumbprint })
  const source: GrantSource = { id, details, approval }
  const grant = grantOf(ctx, source, client, binding, { authReqId, accessToken })
  return issueTokens(ctx, await narrowGrant(ctx, grant, nothingAsked, client), client, source)
}

/** Makes and signs the tokens of a grant. Nothing is stored. */
export async function mint(ctx: Context, grant: Grant, client: Client, refreshToken?: string): Promise<TokenResponse> {
  const key = ctx.signingKeys.forAlg(grant.client.id_token_signed_response_alg)
  if (key === undefined) throw new Error('no signing key for the registered id_token_signed_response_alg')
  const claims = await userClaims(ctx, grant)
  const iat = Math.floor(ctx.clock() / 1000)
  const { accessTokenSeconds, idTokenSeconds } = lifetimesOf(ctx, grant.client, grant.overrides)
  const accessToken =
    grant.accessToken ??
    (await ctx.tokenHooks.accessToken(grant)) ??
    (await makeAccessToken(ctx, grant, iat, accessTokenSeconds))
  // refreshed tokens may do without an ID token (OpenID Connect Core 12.2)
  const idToken = grant.scope.includes('openid')
    ? await makeIdToken(ctx, grant, { key, claims, iat, seconds: idTokenSeconds, accessToken, refreshToken })
    : undefined
  return {
    ...visible(grant.overrides.properties),
    ...omitUndefined({
      access_token: accessToken,
      token_type: tokenTypeOf(grant),
      expires_in: accessTokenSeconds,
      id_token: idToken && (await encryptIdToken(ctx, idToken, client)),
      refresh_token: refreshToken,
      scope: grant.scope.join(' '),
      authorization_details: grant.authorizationDetails,
    }),
  }
}

/** The host's tokens, completed with what it left out: the ID token, the scope, the type. */
async function issuedByHost(ctx: Context, grant: Grant, client: Client, issue: IssueTokens): Promise<TokenResponse> {
  const tokens = omitUndefined(await issue(grant))
  const type = tokenTypeOf(grant)
  if ((tokens.token_type ?? type) !== type) {
    throw new TypeError(
      `express-ciba: option "tokens.issue" returned a token_type that does not fit the grant, which is ${type}`,
    )
  }
  const ours = await mint(ctx, { ...grant, accessToken: tokens.access_token }, client, tokens.refresh_token)
  // only the host knows how long its access token lives
  return omitUndefined({ grant_id: grant.grantId, ...ours, expires_in: undefined, ...tokens }) as TokenResponse
}

function tokenTypeOf({ binding }: Grant): 'Bearer' | 'DPoP' {
  return binding.dpopJkt === undefined ? 'Bearer' : 'DPoP'
}

/** Properties that the client may see become members of the answer. */
function visible(properties: readonly TokenProperty[] = []): Record<string, string> {
  return Object.fromEntries(properties.flatMap(({ key, value, hidden }) => (hidden ? [] : [[key, value]])))
}
