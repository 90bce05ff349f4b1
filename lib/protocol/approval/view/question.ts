import { hkdfSync } from 'node:crypto'
import type { Question } from '../../../contracts/page.ts'
import type { RequestRecord } from '../../../contracts/request.ts'
import type { Client } from '../../../core/client.ts'
import type { AskContext } from '../../../core/context.ts'
import { omitUndefined } from '../../../core/json.ts'

/** What is asked of the user about a request. */
export async function questionFor(
  ctx: AskContext,
  record: RequestRecord,
  client: Client,
  form: Pick<Question, 'action' | 'csrf'>,
): Promise<Question> {
  const { id, clientId, receivedAt, expiresAt, details } = record
  return omitUndefined({
    state: 'ask' as const,
    clientName: client.name,
    logoUri: ctx.settings.page.logos ? client.metadata.logo_uri : undefined,
    bindingMessage: details.bindingMessage,
    choices: choicesFor(ctx, record),
    authorizationDetails: details.authorizationDetails,
    place: await ctx.hooks.place({ clientId, request: id, context: details.requestContext ?? {} }),
    scope: details.scope,
    requestedAt: receivedAt,
    expiresAt,
    now: ctx.clock(),
    action: form.action,
    csrf: form.csrf,
  })
}

/** Was the pick among the choices right? `unneeded`: the page offers no choices for this request. */
export function picked(
  ctx: AskContext,
  record: RequestRecord,
  choice: string | undefined,
): 'unneeded' | 'missing' | 'right' | 'wrong' {
  if (choicesFor(ctx, record) === undefined) return 'unneeded'
  if (choice === undefined) return 'missing'
  return choice === record.details.bindingMessage ? 'right' : 'wrong'
}

function choicesFor(ctx: AskContext, { id, details }: RequestRecord): readonly string[] | undefined {
  const { bindingMessage } = details
  if (!ctx.settings.approval.choices || bindingMessage === undefined) return undefined
  return choicesOf(bindingMessage, ctx.vault.sign('choices', id))
}

/** Characters by their kind. Letters that look like a digit or another letter are left out. */
const alphabets = [
  [/\d/, '0123456789'],
  [/[A-Z]/, 'ABCDEFGHJKLMNPQRSTUVWXYZ'],
  [/[a-z]/, 'abcdefghijkmnpqrstuvwxyz'],
] as const

/**
 * The binding message among two that look like it: words with a digit get other digits and letters. None for a message
 * without digits, because nothing says what would have to differ. The same seed gives the same choices in the same
 * order, so that loading the page again tells nothing.
 *
 * @param seed Random, secret, of this request.
 */
export function choicesOf(message: string, seed: string): readonly string[] | undefined {
  if (!/\d/.test(message)) return undefined
  const random = numbersFrom(seed)
  const decoys = new Set<string>()
  for (let tries = 0; decoys.size < 2 && tries < 20; tries++) {
    const decoy = message.replace(/\S*\d\S*/g, (word) => word.replace(/[A-Za-z\d]/g, (each) => another(each, random)))
    if (decoy !== message) decoys.add(decoy)
  }
  return decoys.size < 2 ? undefined : [...decoys].toSpliced(random(3), 0, message)
}

/** Another character of the same kind. */
function another(character: string, random: (below: number) => number): string {
  const alphabet = alphabets.find(([kind]) => kind.test(character))?.[1] ?? character
  return alphabet[random(alphabet.length)] ?? character
}

function numbersFrom(seed: string): (below: number) => number {
  const numbers = new Uint16Array(hkdfSync('sha256', seed, '', 'express-ciba choices', 8000))
  let next = 0
  return (below) => (numbers[next++ % numbers.length] ?? 0) % below
}
