import { accepted } from './checks/accepted.ts'
import type { AsyncCheck } from './checks/catalogue.ts'
import { idToken } from './checks/idToken.ts'
import { notification } from './checks/notification.ts'
import { pending, saysNotYet } from './checks/refused.ts'
import { tokens } from './checks/tokens.ts'
import { brief } from './checks/values.ts'
import type { Guest, Reaction } from './guests.ts'
import { type Answer, membersOf } from './http.ts'
import { type Claims, notificationToken } from './jws.ts'
import type { Party } from './party.ts'
import { askBackchannel, askToken, parametersOf, type Variation } from './requests.ts'
import type { Trial } from './trial.ts'

/** A request that the server has accepted. */
export interface Issued {
  readonly party: Party
  readonly authReqId: string
  readonly expiresIn: number
  /** Seconds between polls. */
  readonly interval: number
  /** In ping mode, the place at the notification endpoint where it is waited for. */
  readonly guest: Guest | undefined
  readonly acrValue: string | undefined
}

export interface Asking extends Variation {
  /** More parameters, or others. */
  readonly parameters?: Claims
  /** How the notification endpoint answers. */
  readonly reaction?: Reaction
  /** Length of the notification token. */
  readonly tokenLength?: number
}

const shortestWait = 5
const maxTries = 20
/** A human may have to press a button. */
const patience = 300

/** Sends a request, and hands back the answer unseen. */
export async function ask(trial: Trial, party: Party, asking: Asking = {}): Promise<{ answer: Answer; guest?: Guest }> {
  const { parameters, reaction = { status: 204 }, tokenLength } = asking
  if (trial.mode === 'poll') {
    return { answer: await askBackchannel(trial, party, parametersOf(trial, party, parameters), asking) }
  }
  const token = notificationToken(tokenLength)
  const guest = trial.receiver.expect(token, reaction)
  trial.guests.push(guest)
  const claims = parametersOf(trial, party, { client_notification_token: token, ...parameters })
  return { answer: await askBackchannel(trial, party, claims, asking), guest }
}

/** Sends a request that has to be accepted. */
export async function start(trial: Trial, party: Party, asking: Asking = {}): Promise<Issued> {
  const { answer, guest } = await ask(trial, party, asking)
  await trial.check(accepted(answer))
  return issuedBy(answer, party, guest, asking)
}

export function issuedBy(answer: Answer, party: Party, guest?: Guest, asking: Asking = {}): Issued {
  const { auth_req_id, expires_in, interval } = membersOf(answer)
  const authReqId = String(auth_req_id)
  if (guest !== undefined) guest.authReqId = authReqId
  const acr = asking.parameters?.acr_values
  return {
    party,
    authReqId,
    guest,
    expiresIn: Number(expires_in),
    interval: typeof interval === 'number' ? interval : shortestWait,
    acrValue: typeof acr === 'string' ? acr : undefined,
  }
}

/** Two polls before the user has answered. @returns seconds to wait before the next one */
export async function pollTwice(trial: Trial, { party, authReqId, interval }: Issued): Promise<number> {
  await trial.check(pending(await askToken(trial, party, authReqId)))
  const delay = Math.max(shortestWait, interval)
  await trial.sleep(delay)
  const second = await askToken(trial, party, authReqId)
  await trial.check(pending(second))
  if (membersOf(second).error !== 'slow_down') return delay
  await trial.sleep(delay + 5)
  return delay + 5
}

/** Presses the button for the user, through the URL of the configuration; without one, a human does it. */
export async function decide(trial: Trial, { authReqId, party }: Issued, action: 'allow' | 'deny'): Promise<void> {
  const { automated_ciba_approval_url: template } = trial.config
  if (template === undefined) {
    return trial.tell(`Please ${action} ${authReqId} on the device`)
  }
  const url = template
    .replaceAll('{auth_req_id}', encodeURIComponent(authReqId))
    .replaceAll('{action}', encodeURIComponent(action))
  const answer = await party.http.send(url, { method: 'POST', headers: { 'accept-charset': 'UTF-8' } })
  if (answer.status < 200 || answer.status > 299) {
    trial.stop('A3 approval', `HTTP ${answer.status}: ${brief(answer.text)}`)
  }
}

/** Waits for the ping, where there is one. */
export async function pinged(trial: Trial, { guest, authReqId }: Issued): Promise<void> {
  if (guest === undefined) return
  const stop = new AbortController()
  const none = trial.sleep(trial.config.automated_ciba_approval_url === undefined ? patience : 30, stop.signal)
  const ping = await Promise.race([guest.arrived, none])
  stop.abort()
  if (ping === undefined) return trial.stop('N7 no ping', 'no call at the notification endpoint')
  await trial.check(notification(ping, { token: guest.token, authReqId }))
}

/** Polls until the answer is final; in ping mode, asks once after the ping. */
export async function collectAnswer(trial: Trial, issued: Issued, delay: number): Promise<Answer> {
  const { party, authReqId, guest } = issued
  if (guest !== undefined) {
    await pinged(trial, issued)
    return askToken(trial, party, authReqId)
  }
  let wait = delay
  for (let tries = 0; tries < maxTries; tries++) {
    await trial.sleep(wait)
    const answer = await askToken(trial, party, authReqId)
    if (!saysNotYet(answer)) return answer
    await trial.check(pending(answer))
    if (wait <= 60) wait *= 1.5
  }
  return trial.stop('T5 tries', `still not answered after ${maxTries} polls`)
}

/** The whole way of a request that the user allows. @returns the token response */
export async function standardFlow(trial: Trial, party: Party, asking: Asking = {}): Promise<Issued & Finished> {
  const issued = await start(trial, party, asking)
  const delay = await pollTwice(trial, issued)
  await decide(trial, issued, 'allow')
  const answer = await collectAnswer(trial, issued, delay)
  await trial.check(tokenResponse(trial, issued, answer))
  return { ...issued, answer, accessToken: String(membersOf(answer).access_token) }
}

export interface Finished {
  readonly answer: Answer
  readonly accessToken: string
}

/** Tokens and ID token of a request. */
export async function* tokenResponse(trial: Trial, issued: Issued, answer: Answer): AsyncCheck {
  const { party, authReqId, acrValue } = issued
  yield* tokens(answer)
  yield* idToken({
    issuer: trial.server.issuer,
    jwks: trial.server.jwks,
    clientId: party.clientId,
    clientKeys: party.keys,
    now: Date.now() / 1000,
    response: membersOf(answer),
    authReqId,
    acrValue,
  })
}
