import type { BackchannelStore, Channel, Client, ClientMetadata } from './contracts.ts'
import type { Settings } from './options.ts'
import type { Urls } from './paths.ts'
import type { RequestRecord } from './record.ts'
import { hashOf, newHandle, newId } from './secrets.ts'

/** One finding. `remedy` says what to do about a failure or a warning. */
export interface Finding {
  readonly check: string
  readonly result: 'pass' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

export interface DoctorParts {
  readonly settings: Settings
  readonly urls: Urls
  readonly store: BackchannelStore
  readonly channels: readonly Channel[]
  /** Checks a client's metadata, and what it points to. Rejects when something is wrong. */
  checkRegistration(metadata: ClientMetadata): Promise<Client>
}

export interface DoctorOptions {
  /** Clients whose registered metadata is to be checked. Defaults to none. */
  readonly clientIds?: readonly string[]
}

type Check = () => Promise<Finding[]> | Finding[]

/** Looks at everything that can be looked at without a client or a user. Sends nothing to anybody. */
export function createDoctor(parts: DoctorParts) {
  return async ({ clientIds = [] }: DoctorOptions = {}): Promise<readonly Finding[]> => {
    const checks: [string, Check][] = [
      ['issuer', () => issuer(parts)],
      ['keys', () => keys(parts)],
      ['secret', () => secret(parts)],
      ['store', () => store(parts)],
      ['channels', () => channels(parts)],
      ['session', () => session(parts)],
      ['clock', () => clock(parts)],
      ...clientIds.map((id): [string, Check] => [`client ${id}`, () => client(id, parts)]),
    ]
    const findings: Finding[] = []
    for (const [check, run] of checks) findings.push(...(await guarded(check, run)))
    return findings
  }
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

function pass(check: string, detail: string): Finding {
  return { check, result: 'pass', detail }
}

function issuer({ settings, urls }: DoctorParts): Finding[] {
  const findings = [pass('issuer', `${settings.issuer}; profile ${settings.profile}`)]
  if (new URL(settings.issuer).protocol === 'http:') {
    findings.push({ check: 'issuer', result: 'warn', detail: 'is on http', remedy: 'Use https outside development' })
  }
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
