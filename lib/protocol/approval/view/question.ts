import type { Client } from '../../../contracts/contracts.ts'
import type { Vault } from '../../../core/crypto/vault.ts'
import type { Emit } from '../../../core/events.ts'
import type { RequestRecord } from '../../../core/request.ts'
import type { PageOptions } from '../options.ts'
import { choicesOf } from './choices.ts'
import type { Ask } from './model.ts'

export interface QuestionParts {
  readonly logos: boolean
  readonly choices: boolean
  readonly place?: PageOptions['place'] | undefined
  readonly clock: () => number
  readonly vault: Vault
  readonly emit: Emit
}

/** What is asked of the user about a request, and whether a pick among the choices was right. */
export interface Question {
  ask(record: RequestRecord, client: Client, form: Pick<Ask, 'action' | 'csrf'>): Promise<Ask>
  /** `unneeded`: the page offers no choices for this request. */
  picked(record: RequestRecord, choice: string | undefined): 'unneeded' | 'missing' | 'right' | 'wrong'
}

export function createQuestion(parts: QuestionParts): Question {
  return {
    async ask(record, client, form) {
      const { bindingMessage, authorizationDetails, scope } = record.details
      const logoUri = parts.logos ? client.metadata.logo_uri : undefined
      const choices = choicesFor(record)
      const place = await placeOf(record)
      return {
        state: 'ask',
        clientName: client.name,
        ...(logoUri === undefined ? {} : { logoUri }),
        ...(bindingMessage === undefined ? {} : { bindingMessage }),
        ...(choices === undefined ? {} : { choices }),
        ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
        ...(place === undefined ? {} : { place }),
        scope,
        requestedAt: record.receivedAt,
        expiresAt: record.expiresAt,
        now: parts.clock(),
        ...form,
      }
    },
    picked(record, choice) {
      if (choicesFor(record) === undefined) return 'unneeded'
      if (choice === undefined) return 'missing'
      return choice === record.details.bindingMessage ? 'right' : 'wrong'
    },
  }

  function choicesFor({ id, details: { bindingMessage } }: RequestRecord): readonly string[] | undefined {
    if (!parts.choices || bindingMessage === undefined) return undefined
    return choicesOf(bindingMessage, parts.vault.sign('choices', id))
  }

  /** Nice to have: a place that cannot be told stops nobody from answering. */
  async function placeOf({ id, clientId, details }: RequestRecord): Promise<string | undefined> {
    try {
      return await parts.place?.({ clientId, request: id, context: details.requestContext ?? {} })
    } catch (cause) {
      parts.emit({ type: 'fault', cause })
      return undefined
    }
  }
}
