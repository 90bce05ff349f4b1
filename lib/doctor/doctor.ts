import type { BackchannelStore, Channel, Client, ClientMetadata } from '../contracts/contracts.ts'
import { hashOf, newHandle, newId } from '../core/crypto/vault.ts'
import type { RequestRecord } from '../core/request.ts'
import type { Urls } from '../options/paths.ts'
import type { Settings } from '../options/schema.ts'
import { memoryLimiter } from '../protocol/limits/limiter.ts'
import { addresses } from './addresses.ts'
import { type HostApp, mounting, proxy } from './app.ts'
import { type Finding, pass } from './finding.ts'

export type { HostApp } from './app.ts'
export type { Finding } from './finding.ts'

export interface DoctorParts {
  readonly settings: Settings
  readonly urls: Urls
  readonly store: BackchannelStore
  readonly channels: readonly Channel[]
  /** Our members of the discovery document. Absent where another server serves the clients. */
  readonly metadata: object | undefined
  /** Checks a client's metadata, and what it points to. Rejects when something is wrong. */
  checkRegistration(metadata: ClientMetadata): Promise<Client>
}

export interface DoctorOptions {
  /** Clients whose registered metadata is to be checked. Defaults to none. */
  readonly clientIds?: readonly string[]
  /**
   * Your Express app with the router in it. It is called on a loopback port of its own: is the router where the options say,
   * and is `trust proxy` set for a proxy alone? Without it neither is checked.
   */
  readonly app?: HostApp
}

type Check = () => Promise<Finding[]> | Finding[]

/** Looks at everything that can be looked at without a client or a user. Sends nothing to anybody. */
export function createDoctor(parts: DoctorParts) {
  return async ({ clientIds = [], app }: DoctorOptions = {}): Promise<readonly Finding[]> => {
    const checks: [string, Check][] = [
      ['issuer', () => issuer(parts)],
      ['address', () => addresses(parts.settings)],
      ['keys', () => keys(parts)],
      ['secret', () => secret(parts)],
      ['store', () => store(parts)],
      ['channels', () => channels(parts)],
      ['session', () => session(parts)],
      ['limits', () => limits(parts)],
      ['clock', () => clock(parts)],
      ...(app === undefined ? [] : appChecks(app, parts)),
      ...clientIds.map((id): [string, Check] => [`client ${id}`, () => client(id, parts)]),
    ]
    const findings: Finding[] = []
    for (const [check, run] of checks) findings.push(...(await guarded(check, run)))
    return findings
  }
}

function appChecks(app: HostApp, { urls, metadata }: DoctorParts): [string, Check][] {
  return [
    ['mount', () => mounting(app, urls, metadata)],
    ['proxy', () => [proxy(app, urls)]],
  ]
}

async function guarded(check: string, run: Check): Promise<Finding[]> {
  try {
    return await run()
  } catch (thrown) {
    const { message } = thrown as Error
    return [
      { check, result: 'fail', detail: message, remedy: 'Mend what the message names, then run the doctor again' },
    ]
  }
}

function issuer({ settings, urls }: DoctorParts): Finding[] {
  const findings = [pass('issuer', `${settings.issuer}; profile ${settings.profile}`)]
  if (!urls.discovery.startsWith(settings.issuer.replace(/\/$/, ''))) {
    findings.push({
      check: 'issuer',
      result: 'warn',
      detail: `the discovery document is at ${urls.discovery}`,
      remedy:
        'Clients look for it at the issuer plus /.well-known/openid-configuration: serve backchannel.metadata() there',
    })
  }
  return findings
}

function keys({ settings }: DoctorParts): Finding[] {
  if (settings.keys !== undefined) return [pass('keys', `${settings.keys.keys.length} given`)]
  return [
    {
      check: 'keys',
      result: 'warn',
      detail: 'made at start',
      remedy: 'Set "keys": tokens do not survive a restart, and several processes sign differently',
    },
  ]
}

function secret({ settings }: DoctorParts): Finding[] {
  if (settings.secret !== undefined) return [pass('secret', 'given')]
  return [
    {
      check: 'secret',
      result: 'warn',
      detail: 'derived from the private keys',
      remedy: 'Set "secret" before you rotate "keys": open pages and deliveries depend on it',
    },
  ]
}

/** A round trip, and a race: of ten moves one may win. */
async function store({ settings, store }: DoctorParts): Promise<Finding[]> {
  const record = probe()
  const began = performance.now()
  await store.add(record)
  const found = await store.find(record.id)
  if (found?.authReqIdHash !== record.authReqIdHash) throw new Error('a record that was added is not found')
  const moves = await Promise.all(
    Array.from({ length: 10 }, () => store.move(record.id, { from: 'pending', to: 'failed', now: record.receivedAt })),
  )
  const winners = moves.filter((each) => each?.moved).length
  if (winners !== 1) throw new Error(`of ten racing moves ${winners} won; one should`)
  const findings = [pass('store', `round trip and race in ${Math.ceil(performance.now() - began)} ms`)]
  if (settings.store === undefined) {
    findings.push({
      check: 'store',
      result: 'warn',
      detail: 'in the memory of this process',
      remedy: 'Set "store" where requests have to survive a restart, or several processes serve them',
    })
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

async function channels({ channels }: DoctorParts): Promise<Finding[]> {
  if (channels.length === 0) {
    return [
      {
        check: 'channels',
        result: 'warn',
        detail: 'none',
        remedy: 'Set "channels", or reach users by a way of your own',
      },
    ]
  }
  return (
    await Promise.all(
      channels.map((channel) =>
        guarded(`channel ${channel.name}`, async () => {
          if (channel.standsIn) {
            return [
              {
                check: `channel ${channel.name}`,
                result: 'warn',
                detail: 'for development',
                remedy: 'Set "channels": links are printed, not sent',
              },
            ]
          }
          await channel.verify?.()
          return [pass(`channel ${channel.name}`, channel.verify === undefined ? 'has nothing to verify' : 'verified')]
        }),
      ),
    )
  ).flat()
}

function session({ settings }: DoctorParts): Finding[] {
  const { session } = settings
  if (session === undefined) {
    return [
      {
        check: 'session',
        result: 'warn',
        detail: 'none: there is no approval page',
        remedy: 'Set "session", or answer by backchannel.complete',
      },
    ]
  }
  const url = session.loginUrl('/after', {})
  if (URL.canParse(url) && new URL(url).protocol === 'javascript:') throw new Error('loginUrl returns a script')
  return [pass('session', `sign-in at ${url.split('?')[0]}`)]
}

/** Processes that share a store share their users, and have to share what they count about them. */
function limits({ settings }: DoctorParts): Finding[] {
  if (settings.store === undefined || settings.limiter !== memoryLimiter) return []
  const remedy = 'Set "limiter" where several processes serve, or users are asked that many times more often'
  return [{ check: 'limits', result: 'warn', detail: 'counted in the memory of this process', remedy }]
}

function clock({ settings }: DoctorParts): Finding[] {
  const off = Math.abs(settings.clock() - Date.now())
  if (off < 1_000) return [pass('clock', 'that of the machine')]
  return [
    {
      check: 'clock',
      result: 'warn',
      detail: `${Math.round(off / 1000)} s from that of the machine`,
      remedy: 'Leave out "clock" outside tests',
    },
  ]
}

async function client(id: string, { settings, checkRegistration }: DoctorParts): Promise<Finding[]> {
  const check = `client ${id}`
  const metadata = await settings.clients(id)
  if (metadata === undefined || metadata === null) throw new Error('is not registered')
  const { authMethod, deliveryMode } = await checkRegistration(metadata)
  if (!settings.clientAuthMethods.includes(authMethod))
    throw new Error(`registered for ${authMethod}, which this server does not offer`)
  if (deliveryMode === undefined) throw new Error('has no backchannel_token_delivery_mode')
  if (!settings.deliveryModes.includes(deliveryMode))
    throw new Error(`registered for ${deliveryMode}, which this server does not offer`)
  return [pass(check, `${authMethod}, ${deliveryMode}`)]
}
