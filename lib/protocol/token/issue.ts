import { z } from 'zod'
import type { Awaitable, Client } from '../../contracts/contracts.ts'
import type { Guard } from '../../core/guard.ts'
import { present } from '../../core/omitUndefined.ts'
import type { Grant, GrantSource } from './grant.ts'
import type { createMint, TokenResponse } from './mint.ts'
import type { RefreshTokens } from './refreshToken.ts'

/** Tokens that the host made: the members of a token response (RFC 6749 5.1). */
export interface IssuedTokens {
  readonly access_token: string
  /** Defaults to what the grant is bound to: `DPoP` for a DPoP key, else `Bearer`. */
  readonly token_type?: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in?: number
  readonly refresh_token?: string
  /** Defaults to one that is made here, and vouches for the other two. */
  readonly id_token?: string
  /** Space-separated. Defaults to what was granted. */
  readonly scope?: string
  readonly [member: string]: unknown
}

/** Makes tokens in place of ours. `grant` says for whom, for what, and bound to which key. */
export type IssueTokens = (grant: Grant) => Awaitable<IssuedTokens>

const issued = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.enum(['Bearer', 'DPoP']).optional(),
  expires_in: z.int().positive().optional(),
  refresh_token: z.string().min(1).optional(),
  id_token: z.string().min(1).optional(),
  scope: z.string().optional(),
})

export interface IssueParts {
  readonly issueTokens?: IssueTokens | undefined
  readonly guard: Guard
  readonly mint: ReturnType<typeof createMint>
  readonly refreshTokens: RefreshTokens
  /** Seconds that the refresh tokens of a grant live. */
  refreshSeconds(grant: Grant): number
}

/** Makes the token response of a grant: the host's issuer does, or we do, and keep the refresh token's family. */
export function createIssueTokens({ issueTokens, guard, mint, refreshTokens, refreshSeconds }: IssueParts) {
  async function fromHost(grant: Grant, client: Client, issueTokens: IssueTokens): Promise<TokenResponse> {
    const tokens = check(await guard('tokens', () => issueTokens(grant)), grant)
    const { access_token, refresh_token, expires_in } = tokens
    const ours = await mint({ ...grant, accessToken: access_token }, client, refresh_token)
    return present({ grant_id: grant.grantId, ...ours, expires_in, ...tokens }) as TokenResponse
  }

  return async (grant: Grant, client: Client, source: GrantSource): Promise<TokenResponse> => {
    if (issueTokens !== undefined) return fromHost(grant, client, issueTokens)
    const refreshToken = await refreshTokens.first(grant, client)
    const tokens = await mint(grant, client, refreshToken)
    if (refreshToken !== undefined) await refreshTokens.keep(refreshToken, grant, source, refreshSeconds(grant))
    return tokens
  }
}

/** @throws TypeError that names what is wrong with the host's answer, and none of its values. */
function check(value: unknown, { binding }: Grant): z.output<typeof issued> {
  const result = issued.safeParse(value)
  if (!result.success) {
    const [problem] = result.error.issues
    throw new TypeError(`issueTokens returned a wrong "${problem?.path.join('.') || 'result'}": ${problem?.message}`)
  }
  const bound = binding.dpopJkt === undefined ? 'Bearer' : 'DPoP'
  if ((result.data.token_type ?? bound) !== bound) {
    throw new TypeError(`issueTokens returned a token_type that does not fit the grant, which is ${bound}`)
  }
  return result.data
}
