import type { Channel } from '../contracts/channel.ts'
import type { BackchannelOptions } from '../contracts/options.ts'
import type { RequestRecord } from '../contracts/request.ts'
import type { AskContext } from '../core/context.ts'
import { hashOf, newHandle, newId } from '../core/crypto/handles.ts'
import { type Finding, pass, runCheck } from './check.ts'

export function secret({ secret }: Pick<BackchannelOptions, 'secret'>): Finding[] {
  if (secret !== undefined) return [pass('secret', 'given')]
  const remedy = 'Set "secret" before you rotate "keys": open pages and deliveries depend on it'
  return [{ check: 'secret', result: 'warn', detail: 'derived from the private keys', remedy }]
}

/** The same where there are no keys to derive one from. */
export function madeSecret({ secret }: Pick<BackchannelOptions, 'secret'>): Finding[] {
  if (secret !== undefined) return [pass('secret', 'given')]
  const remedy = 'Set "secret": links and open pages do not survive a restart, and other processes do not know them'
  return [{ check: 'secret', result: 'warn', detail: 'made at start', remedy }]
}

/** A round trip, and a race: of ten moves one may win. */
export async function store(ctx: AskContext, options: Pick<BackchannelOptions, 'store'>): Promise<Finding[]> {
  const record = probe()
  const began = performance.now()
  await ctx.store.add(record)
  const found = await ctx.store.find(record.id)
  if (found?.authReqIdHash !== record.authReqIdHash) throw new Error('a record that was added is not found')
  const move = { from: 'pending', to: 'failed', now: record.receivedAt } as const
  const moves = await Promise.all(Array.from({ length: 10 }, () => ctx.store.move(record.id, move)))
  const winners = moves.filter((each) => each?.moved).length
  if (winners !== 1) throw new Error(`of ten racing moves ${winners} won; one should`)
  const findings = [pass('store', `round trip and race in ${Math.ceil(performance.now() - began)} ms`)]
  if (options.store === undefined) {
    const remedy = 'Set "store" where requests have to survive a restart, or several processes serve them'
    findings.push({ check: 'store', result: 'warn', detail: 'in the memory of this process', remedy })
  }
  return findings
}

function probe(): RequestRecord {
  const id = newId()
  const now = Date.now()
  return {
    id,
    status: 'pending',
    clientId: 'express-ciba doctor',
    deliveryMode: 'poll',
    authReqIdHash: hashOf(newHandle(id)),
    receivedAt: now,
    expiresAt: now + 5_000,
    keptUntil: now + 5_000,
    intervalSeconds: 5,
    slowDowns: 0,
    details: { scope: ['openid'] },
  }
}

export async function channels({ channels }: AskContext): Promise<Finding[]> {
  if (channels.length === 0) {
    const remedy = 'Set "channels", or reach users by a way of your own'
    return [{ check: 'channels', result: 'warn', detail: 'none', remedy }]
  }
  const findings = channels.map((each) => runCheck([`channel ${each.name}`, () => channel(each)]))
  return (await Promise.all(findings)).flat()
}

async function channel(channel: Channel): Promise<Finding[]> {
  const check = `channel ${channel.name}`
  if (channel.standsIn) {
    const remedy = 'Set "channels": links are printed, not sent'
    return [{ check, result: 'warn', detail: 'for development', remedy }]
  }
  await channel.verify?.()
  return [pass(check, channel.verify === undefined ? 'has nothing to verify' : 'verified')]
}

export function session({ session }: AskContext): Finding[] {
  if (session === undefined) {
    const remedy = 'Set "session", or answer by backchannel.approve'
    return [{ check: 'session', result: 'warn', detail: 'none: there is no approval page', remedy }]
  }
  const url = session.loginUrl('/after', {})
  if (URL.canParse(url) && new URL(url).protocol === 'javascript:') throw new Error('loginUrl returns a script')
  return [pass('session', `sign-in at ${url.split('?')[0]}`)]
}

/** Processes that share a store share their users, and have to share what they count about them. */
export function limits({ store, limits }: Pick<BackchannelOptions, 'store' | 'limits'>): Finding[] {
  const counter = limits === false ? undefined : limits?.counter
  if (store === undefined || counter !== undefined) return []
  const remedy = 'Set "limits.counter" where several processes serve, or users are asked that many times more often'
  return [{ check: 'limits', result: 'warn', detail: 'counted in the memory of this process', remedy }]
}

export function clock({ clock }: AskContext): Finding[] {
  const off = Math.abs(clock() - Date.now())
  if (off < 1_000) return [pass('clock', 'that of the machine')]
  const detail = `${Math.round(off / 1000)} s from that of the machine`
  return [{ check: 'clock', result: 'warn', detail, remedy: 'Leave out "clock" outside tests' }]
}
