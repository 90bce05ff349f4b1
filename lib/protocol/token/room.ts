import type { BackchannelStore, Call, Client, JwkSet } from '../../contracts/contracts.ts'
import { createKeys } from '../../core/crypto/signingKeys.ts'
import { contextOf, type Vault } from '../../core/crypto/vault.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import { present } from '../../core/omitUndefined.ts'
import type { Approval, RequestDetails, RequestRecord } from '../../core/request.ts'
import type { ProfileRules } from '../../options/profiles.ts'
import type { Settings } from '../../options/schema.ts'
import { createAuthorizationDetails } from '../authorization/authorizationDetails.ts'
import { type Binding, createBindings } from '../authorization/keyBinding.ts'
import { createResources } from '../authorization/resources.ts'
import { createSubjects } from '../authorization/subject.ts'
import { createUserClaims, type ScopeClaims, standardScopeClaims } from '../authorization/userClaims.ts'
import { createRedeem } from './cibaGrant.ts'
import { cibaGrantType, type ServedGrant } from './endpoint.ts'
import { createGrantOf, type Grant } from './grant.ts'
import { createEncrypt, encryptionAlgs, encryptionEncs, type KeysThat } from './idTokenEncryption.ts'
import { createIntrospect } from './introspection.ts'
import { createIssueTokens } from './issue.ts'
import { createLifetimesOf } from './lifetimes.ts'
import type { LongPoll } from './longPoll.ts'
import { createMint } from './mint.ts'
import { createNarrow } from './narrow.ts'
import { createReadPresented } from './ownTokens.ts'
import { createRefresh } from './refreshGrant.ts'
import { createRefreshTokens, refreshGrantType } from './refreshToken.ts'
import { createRevocations } from './revocation.ts'
import { createRevoke } from './revoke.ts'
import { createRequireServable } from './supportedClient.ts'

export interface TokenRoomParts {
  readonly settings: Settings
  readonly rules: ProfileRules
  readonly jwks: JwkSet
  readonly store: BackchannelStore
  readonly vault: Vault
  readonly emit: Emit
  readonly guard: Guard
  isActive(sub: string): Promise<boolean>
  findClient(clientId: string): Promise<Client | undefined>
  readonly longPoll: LongPoll | undefined
  checkDpop(call: Call): Promise<string | undefined>
  readonly keysThat: KeysThat
}

/** Everything that makes tokens and hands them out, put together. */
export function createTokenRoom(parts: TokenRoomParts) {
  const { settings, rules, store, vault, emit, guard, isActive } = parts
  const { issuer, clock, users } = settings
  const keys = createKeys(parts.jwks, rules.algs)
  const subjects = createSubjects(vault, settings.secret !== undefined)
  const lifetimesOf = createLifetimesOf(settings.tokens)
  const encryption = createEncrypt(parts.keysThat)
  const grantOf = createGrantOf(subjects.nameFor)
  const bindings = createBindings({ required: rules.senderConstrained, checkDpop: parts.checkDpop })
  const scopeClaims = { ...standardScopeClaims, ...settings.scopeClaims }
  const defaultResource = settings.tokens.audience ?? issuer
  const resources = createResources(settings.resources, defaultResource, guard)
  const authorizationDetails = createAuthorizationDetails(settings.authorizationDetailsTypes)
  const refreshSeconds = (grant: Pick<Grant, 'client' | 'wishes'>) =>
    lifetimesOf(grant.client, grant.wishes).refreshTokenSeconds
  const mint = createMint({
    ...settings.tokens,
    guard,
    keys,
    issuer,
    clock,
    lifetimesOf,
    audience: defaultResource,
    claimsFor: createUserClaims({ users, guard, scopeClaims }),
    encrypt: encryption.encrypt,
  })
  const holdsOurToken = (parameter: (name: string) => unknown): boolean => {
    const token = parameter('refresh_token')
    return typeof token === 'string' && refreshTokens.familyOf(token) !== undefined
  }
  const narrow = createNarrow({ resources, authorizationDetails })
  const refreshTokens = createRefreshTokens({ ...settings.tokens, store, clock, vault, guard })
  const issueTokens = createIssueTokens({
    issueTokens: settings.issueTokens,
    guard,
    mint,
    refreshTokens,
    refreshSeconds,
  })
  const revocations = createRevocations({
    store,
    clock,
    accessSeconds: ({ approval }, client) => lifetimesOf(client.metadata, approval.tokens).accessTokenSeconds,
  })
  const serving = { store, clock, emit, isActive, readBinding: bindings.atToken, grantOf, narrow }
  const redeem = createRedeem({ ...serving, issueTokens, longPoll: parts.longPoll })
  const refresh = createRefresh({
    ...serving,
    mint,
    refreshTokens,
    refreshSeconds,
    revocations,
    rotates: rules.rotatesRefreshTokens,
    graceSeconds: settings.tokens.refreshGraceSeconds,
    familySeconds: settings.tokens.refreshFamilySeconds,
  })
  const readPresented = createReadPresented({ issuer, refreshTokens, verifiers: keys.verifiers })

  return {
    keys,
    /** What the discovery document says of tokens. */
    offers: {
      idTokenAlgs: keys.algs,
      idTokenEncryptionAlgs: encryptionAlgs,
      idTokenEncryptionEncs: encryptionEncs,
      subjectTypes: settings.secret === undefined ? ['public'] : ['public', 'pairwise'],
      authorizationDetailsTypes: authorizationDetails.types,
      claims: users.claims === undefined ? [] : claimsOffered(settings.scopes, scopeClaims),
    },
    subjects,
    resources,
    authorizationDetails,
    readKey: bindings.atRequest,
    /** Throws when no tokens could be made for this client. */
    requireServable: createRequireServable({
      keys,
      problems: [(client) => subjects.problemOf(client.metadata), encryption.problemOf],
    }),
    /** The grants that are ours, by `grant_type`. */
    grants: new Map<string, ServedGrant>([
      [cibaGrantType, { serve: redeem }],
      ...(settings.issueTokens ? [] : ([[refreshGrantType, { serve: refresh, isOurs: holdsOurToken }]] as const)),
    ]),
    readPresented,
    revoke: createRevoke({ store, emit, revocations }),
    introspect: createIntrospect({ ...settings, ...parts, ...subjects, revocations }),
    /** Claims that scope values stand for. */
    claimsOf: (scope: readonly string[]) => scope.flatMap((each) => scopeClaims[each] ?? []),
    /** Seconds that a refresh token of this grant lives. */
    refreshSeconds,
    /** Seconds that the tokens of an approved request live. */
    lifetimesOf: ({ answer }: RequestRecord, { metadata }: Client) =>
      lifetimesOf(metadata, (answer as Approval).tokens),
    /** Makes the token response of an approved request that is pushed. */
    async mintPushed({ answer, ...record }: RequestRecord, client: Client, authReqId: string) {
      const approval = answer as Approval
      const sealed = approval.tokens?.sealedAccessToken
      const accessToken = sealed && vault.open(sealed, contextOf('accessToken', record.id))
      const push = present({ authReqId, accessToken })
      const source = { ...record, approval }
      const grant = grantOf(source, client, bindingIn(record.details), push)
      return issueTokens(await narrow(grant, nothingAsked, client), client, source)
    },
    /** Makes tokens worthless that nobody received. */
    async revokePushed(_record: RequestRecord, tokens: Readonly<Record<string, unknown>>): Promise<void> {
      for (const token of [tokens.refresh_token, tokens.access_token]) {
        const presented = typeof token === 'string' ? readPresented(token) : undefined
        if (presented?.kind === 'refresh_token') await store.endGrant(presented.family)
        if (presented?.kind === 'access_token') await revocations.revokeAccessToken(presented.claims)
      }
    },
  }
}

/** A push answers no token request. */
const nothingAsked = { values: new Map<string, string>(), resources: [] }

function bindingIn({ dpopJkt, certificateThumbprint }: RequestDetails): Binding {
  return present({ dpopJkt, certificateThumbprint })
}

function claimsOffered(scopes: readonly string[], scopeClaims: ScopeClaims): readonly string[] {
  return ['sub', 'acr', 'amr', 'auth_time', ...scopes.flatMap((scope) => scopeClaims[scope] ?? [])]
}
