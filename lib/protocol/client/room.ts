import type { BackchannelStore, Client } from '../../contracts/contracts.ts'
import { asymmetricAlgs, hmacAlgs } from '../../core/crypto/jws.ts'
import type { Vault } from '../../core/crypto/vault.ts'
import type { Emit } from '../../core/events.ts'
import type { Guard } from '../../core/guard.ts'
import type { ProfileRules } from '../../options/profiles.ts'
import type { Settings } from '../../options/schema.ts'
import { createAttempts } from '../limits/clientFailures.ts'
import { createCheckAssertion } from './assertion.ts'
import { createAuthenticate } from './authenticate.ts'
import { createCheckCertificate, thumbprintOf } from './certificate.ts'
import { createCheckDpop } from './dpop.ts'
import { createClientKeys } from './jwks.ts'
import { createReadClient } from './metadata.ts'
import { createCheckRegistration } from './registration.ts'

export interface ClientRoomParts {
  readonly settings: Settings
  readonly rules: ProfileRules
  readonly store: BackchannelStore
  readonly vault: Vault
  readonly emit: Emit
  readonly guard: Guard
  /** The addresses of our endpoints, with those over mutual TLS. */
  readonly endpoints: ReadonlyMap<string, string>
  fetchJson(url: string): Promise<unknown>
}

/** Everything that knows a client and what it shows of itself, put together. */
export function createClientRoom(parts: ClientRoomParts) {
  const { settings, rules, store, vault, emit, guard, endpoints } = parts
  const { issuer, clock } = settings
  const read = createReadClient()
  const find = (clientId: string) => guard('clients', () => settings.clients(clientId))
  const keys = createClientKeys({ clock, fetchJson: parts.fetchJson })
  const assertionAlgs = rules.algs ?? [...asymmetricAlgs, ...hmacAlgs]

  return {
    /** Validates metadata, once for each object. */
    read,
    keysFor: keys.keysFor,
    keysThat: keys.keysThat,
    /** The algorithms that a client may sign its assertion with. */
    assertionAlgs,
    async findClient(clientId: string): Promise<Client | undefined> {
      const metadata = await find(clientId)
      return metadata === undefined || metadata === null ? undefined : read(metadata)
    },
    checkRegistration: createCheckRegistration({ read, fetchJson: parts.fetchJson }),
    authenticate: createAuthenticate({
      find,
      read,
      clock,
      methods: settings.clientAuthMethods,
      checkAssertion: createCheckAssertion({
        store,
        clock,
        emit,
        audiences:
          settings.assertionAudience === 'issuer' ? [issuer] : [issuer, ...endpoints.keys(), ...endpoints.values()],
        audienceAsString: rules.audienceAsString,
        maxSeconds: settings.assertionMaxSeconds,
        algs: assertionAlgs,
        keysFor: keys.keysFor,
      }),
      checkCertificate: createCheckCertificate({ clock, keysThat: keys.keysThat }),
      thumbprintOf,
      attempts: createAttempts({ ...settings, guard, emit, most: settings.limits?.failedAuthentications ?? 0 }),
    }),
    checkDpop: createCheckDpop({
      store,
      clock,
      vault,
      emit,
      nonceRequired: settings.dpopNonce,
      maxAgeSeconds: 60,
      ...(rules.algs ? { algs: rules.algs } : {}),
    }),
  }
}
