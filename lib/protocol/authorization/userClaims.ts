import type { Users } from '../../contracts/contracts.ts'
import type { Guard } from '../../core/guard.ts'
import type { Grant } from '../token/grant.ts'
import { idTokenClaimNames } from './claims.ts'
import { idTokenClaims } from './reserved.ts'

/** Claim names by scope value. */
export type ScopeClaims = Readonly<Record<string, readonly string[]>>

/** OpenID Connect Core 5.4. */
export const standardScopeClaims: ScopeClaims = {
  profile: [
    ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
    ...['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at'],
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

export interface UserClaimsParts {
  readonly users: Pick<Users, 'claims'>
  readonly guard: Guard
  readonly scopeClaims: ScopeClaims
}

/** Reads the user's claims for an ID token: what scope and `claims` ask for, and of that what the user agreed to. */
export function createUserClaims({ users, guard, scopeClaims }: UserClaimsParts) {
  return async (grant: Grant): Promise<Readonly<Record<string, unknown>>> => {
    const names = namesFor(grant)
    if (users.claims === undefined || names.size === 0) return {}
    const known = (await guard('users', () => users.claims?.(grant.subject, grant.scope, [...names]))) ?? {}
    // a host may hand its whole record over: nothing leaves that was not asked for
    return Object.fromEntries(Object.entries(known).filter(([name, value]) => names.has(name) && value != null))
  }

  function namesFor({ scope, claims, wishes: { consentedClaims } }: Grant): ReadonlySet<string> {
    const asked = [...scope.flatMap((each) => scopeClaims[each] ?? []), ...idTokenClaimNames(claims)]
    const agreed = (name: string) => consentedClaims === undefined || consentedClaims.includes(name)
    return new Set(asked.filter((name) => !idTokenClaims.has(name) && agreed(name)))
  }
}
