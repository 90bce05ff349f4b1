import type { z } from 'zod'
import type { BackchannelOptions, LimitOptions, Paths } from '../contracts/options.ts'
import { omitUndefined } from '../core/json.ts'
import type { AskSettings, ProfileRules, Settings } from '../core/settings.ts'
import { standardScopeClaims } from '../protocol/authorization/claims.ts'
import { explain } from './messages.ts'
import { defaultPaths } from './paths.ts'
import { profiles, refuseContradictions } from './profiles.ts'
import { type AskOptions, askSchema, defaultBlockSeconds, schema } from './schema.ts'

type AskChecked = z.output<typeof askSchema>

/**
 * Checks the options of an engine that asks users and leaves clients to another server, and fills in the defaults.
 * What the host plugged in is not among the settings: `compose.ts` takes it from the options, when they are good.
 * @throws TypeError that names the option and says what to do.
 */
export function readAskOptions(options: AskOptions): AskSettings {
  return askSettings(check(askSchema, options), profiles.ciba)
}

/**
 * Checks the options of an engine that also serves the clients, and fills in the defaults.
 * @throws TypeError that names the option and says what to do.
 */
export function readOptions(options: BackchannelOptions): Settings {
  const checked = check(schema, options)
  refuseContradictions(options)
  const rules = profiles[checked.profile]
  const ask = askSettings(checked, rules)
  return {
    issuer: ask.issuer,
    profile: checked.profile,
    hasOwnSecret: checked.secret !== undefined,
    paths: ask.paths,
    requests: ask.requests,
    polling: omitUndefined(checked.polling),
    clientAuth: {
      methods: checked.clientAuth.methods ?? rules.clientAuthMethods,
      assertionAudience: checked.clientAuth.assertionAudience ?? rules.assertionAudience,
      assertionMaxSeconds: checked.clientAuth.assertionMaxSeconds,
      dpopNonce: checked.clientAuth.dpopNonce,
    },
    notices: ask.notices,
    page: ask.page,
    approval: ask.approval,
    tokens: {
      refreshFamilySeconds: checked.tokens.lifetimes.refreshFamilySeconds,
      refreshGraceSeconds: checked.tokens.lifetimes.refreshGraceSeconds,
      audience: checked.tokens.audience ?? checked.issuer,
      scopeClaims: { ...standardScopeClaims, ...checked.tokens.scopeClaims },
    },
    delivery: { modes: checked.delivery.modes, outbound: checked.delivery.outbound },
    limits: ask.limits,
    interop: ask.interop,
  }
}

function check<Schema extends z.ZodType>(schema: Schema, options: unknown): z.output<Schema> {
  const result = schema.safeParse(options)
  if (!result.success) throw new TypeError(explain(result.error.issues[0]))
  return result.data
}

function askSettings(checked: AskChecked, rules: ProfileRules): AskSettings {
  refuseMissing(checked)
  const { notices, page } = checked
  return {
    issuer: checked.issuer,
    paths: pathSettings(checked.paths),
    requests: requestSettings(checked.requests, rules),
    notices: omitUndefined({
      fallback: notices.fallback,
      retrySeconds: notices.retrySeconds,
      resendSeconds: notices.resendSeconds,
      texts: notices.texts,
    }),
    page: omitUndefined({
      texts: page.texts,
      theme: page.theme,
      logos: page.logos,
      timeZone: page.timeZone,
    }),
    approval: checked.approval,
    limits: limitSettings(checked.limits),
    interop: checked.interop,
  }
}

/** What other options need. */
function refuseMissing({ session, channels = [], users, requests }: AskChecked): void {
  const missing = (option: string, reason: string) =>
    new TypeError(`express-ciba: option "${option}" is missing: ${reason}`)
  if (session === undefined && channels.length > 0) {
    throw missing('session', 'channels send a link to a page that asks who is signed in')
  }
  if (requests.userCodes && users.checkUserCode === undefined) {
    throw missing('users.checkUserCode', '"requests.userCodes" needs it')
  }
}

function pathSettings(given: AskChecked['paths']): Paths {
  const paths: Paths = { ...defaultPaths, ...omitUndefined(given) }
  const places = Object.values(paths)
  if (new Set(places).size === places.length) return paths
  throw new TypeError('express-ciba: option "paths" gives two routes the same path; give each its own')
}

function requestSettings(given: AskChecked['requests'], rules: ProfileRules): AskSettings['requests'] {
  const { bindingMessage } = given
  return {
    scopes: given.scopes,
    acrValues: given.acrValues,
    expirySeconds: given.expirySeconds,
    maxExpirySeconds: given.maxExpirySeconds ?? given.expirySeconds,
    graceSeconds: given.graceSeconds,
    bindingMessage: typeof bindingMessage === 'function' ? 'own' : bindingMessage,
    requireBindingMessage: given.requireBindingMessage,
    requireSigned: given.requireSigned ?? rules.signedRequests !== 'optional',
    userCodes: given.userCodes,
    idTokenHintSeconds: given.idTokenHintSeconds,
    hideUnknownUsers: given.hideUnknownUsers,
  }
}

/** `false` switches every budget off; what a user said with "I did not start this" holds all the same. */
function limitSettings(given: AskChecked['limits']): AskSettings['limits'] {
  const pointsOf = (name: Exclude<keyof LimitOptions, 'counter'>) => (given === false ? 0 : given[name])
  return {
    promptsPerUser: pointsOf('promptsPerUser'),
    promptsPerClientAndUser: pointsOf('promptsPerClientAndUser'),
    noticesPerDestination: pointsOf('noticesPerDestination'),
    noticesPerDestinationAndDay: pointsOf('noticesPerDestinationAndDay'),
    requestsPerClient: pointsOf('requestsPerClient'),
    failedHintsPerClient: pointsOf('failedHintsPerClient'),
    failedAuthentications: pointsOf('failedAuthentications'),
    denialSeconds: pointsOf('denialSeconds'),
    openRequestsPerUser: pointsOf('openRequestsPerUser'),
    notMeBlockSeconds: given === false ? defaultBlockSeconds : given.notMeBlockSeconds,
  }
}
