import type { z } from 'zod'

/** What is wrong with the options: the option's full name, and what to do. */
export function explain(given: z.core.$ZodIssue | undefined): string {
  if (given === undefined) return 'express-ciba: the options are not valid'
  const issue = innermost(given)
  const name = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') return unknown(name, issue.keys)
  if (name === '') return 'express-ciba: the options must be an object with issuer, clients and users'
  if (issue.code === 'invalid_type' && issue.input === undefined && issue.message.includes('undefined')) {
    return `express-ciba: option "${name}" is missing; it ${required[name] ?? `must be a ${issue.expected}`}`
  }
  const text = issue.message.startsWith('must') ? issue.message : `is not valid: ${issue.message}`
  return `express-ciba: option "${name}" ${text}`
}

const required: Readonly<Record<string, string>> = {
  issuer: 'must be an https URL such as "https://login.example.com"',
}

/** Of a choice between forms, what is wrong inside the one that was meant: "limits.promptsPerUser", not "limits". */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || issue.message.startsWith('must')) return issue
  const inner = issue.errors.flat().find((each) => each.path.length > 0 || each.code === 'unrecognized_keys')
  return inner === undefined ? issue : innermost({ ...inner, path: [...issue.path, ...inner.path] })
}

function unknown(group: string, names: readonly string[]): string {
  for (const name of names) {
    const full = group === '' ? name : `${group}.${name}`
    const now = moved[full]
    const unit = /(Ms|Days)$/.test(full) ? ', in seconds' : ''
    if (now !== undefined) return `express-ciba: option "${full}" has moved: it is "${now}" now${unit}`
  }
  const where = group === '' ? '' : ` in "${group}"`
  return `express-ciba: unknown option "${names.join('", "')}"${where}; check the spelling, or remove it`
}

/** Names of 0.1, and where they are now. */
const moved: Readonly<Record<string, string>> = {
  scopes: 'requests.scopes',
  acrValues: 'requests.acrValues',
  expirySeconds: 'requests.expirySeconds',
  maxExpirySeconds: 'requests.maxExpirySeconds',
  graceSeconds: 'requests.graceSeconds',
  bindingMessage: 'requests.bindingMessage',
  requireBindingMessage: 'requests.requireBindingMessage',
  requireSignedRequests: 'requests.requireSigned',
  userCodes: 'requests.userCodes',
  loginHintToken: 'requests.loginHintToken',
  idTokenHintDays: 'requests.idTokenHintSeconds',
  hideUnknownUsers: 'requests.hideUnknownUsers',
  authorizationDetailsTypes: 'requests.authorizationDetails',
  resources: 'requests.resources',
  intervalSeconds: 'polling.intervalSeconds',
  longPoll: 'polling',
  clientAuthMethods: 'clientAuth.methods',
  assertionAudience: 'clientAuth.assertionAudience',
  assertionMaxSeconds: 'clientAuth.assertionMaxSeconds',
  getCertificate: 'clientAuth.getCertificate',
  dpopNonce: 'clientAuth.dpopNonce',
  'page.choices': 'approval.choices',
  freshLogin: 'approval.freshLogin',
  widerScopes: 'approval.widerScopes',
  landingHandle: 'approval.landingHandle',
  issueTokens: 'tokens.issue',
  scopeClaims: 'tokens.scopeClaims',
  mayIntrospect: 'tokens.mayIntrospect',
  'tokens.idTokenSeconds': 'tokens.lifetimes.idTokenSeconds',
  'tokens.accessTokenSeconds': 'tokens.lifetimes.accessTokenSeconds',
  'tokens.refreshTokenSeconds': 'tokens.lifetimes.refreshTokenSeconds',
  'tokens.refreshFamilySeconds': 'tokens.lifetimes.refreshFamilySeconds',
  'tokens.refreshGraceSeconds': 'tokens.lifetimes.refreshGraceSeconds',
  deliveryModes: 'delivery.modes',
  queue: 'delivery.queue',
  outbound: 'delivery.outbound',
  'delivery.outbound.connectMs': 'delivery.outbound.connectSeconds',
  'delivery.outbound.totalMs': 'delivery.outbound.totalSeconds',
  onUndelivered: 'delivery.onUndelivered',
  openRequestsPerUser: 'limits.openRequestsPerUser',
  notMeBlockSeconds: 'limits.notMeBlockSeconds',
  limiter: 'limits.counter',
  errorFormat: 'interop.errorFormat',
  otherGrants: 'interop.otherGrants',
}
