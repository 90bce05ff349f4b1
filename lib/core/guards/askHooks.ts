import { z } from 'zod'
import type { BackchannelOptions } from '../../contracts/options.ts'
import type { DetailWords } from '../../contracts/page.ts'
import type { DetailSchema, DetailType } from '../../contracts/tokens.ts'
import type { AskHooks } from '../context.ts'
import { BackchannelError } from '../errors.ts'
import { callHook, type Emit } from '../events.ts'
import { omitUndefined } from '../json.ts'
import { checkShape, type Guard, wrongResult } from './guard.ts'

/** The groups of options that have such hooks. */
export type AskHookOptions = Pick<BackchannelOptions, 'requests' | 'notices' | 'page' | 'delivery' | 'onAnswer'>

const namesShape = z.array(z.string()).nullish()

/** A number in a card is shown as it is. */
const words = z.union([z.string(), z.number().transform(String)], 'must be a string')
const cardShape = z.object({
  title: words,
  rows: z.array(z.tuple([words, words], 'must be a label and a value'), 'must be an array'),
})

/** The host's hooks around asking the user, guarded. */
export function guardAskHooks(options: AskHookOptions, guard: Guard, emit: Emit): AskHooks {
  const { requests, notices, page, delivery, onAnswer } = options
  const fault = (cause: unknown) => emit({ type: 'fault', cause })

  return {
    channelsFor: guardChannelsFor(notices?.channelsFor, guard),

    bindingMessage: guardBindingMessage(requests?.bindingMessage, guard),

    detailTypes: new Map(
      Object.entries(requests?.authorizationDetails ?? {}).map(([name, type]) => [name, guardDetailType(type, guard)]),
    ),

    async place(query) {
      if (page?.place === undefined) return undefined
      try {
        const place: unknown = await guard.call('page', 'page.place', () => page.place?.(query))
        if (place === undefined || place === null || place === '') return undefined
        if (typeof place === 'string') return place
        fault(wrongResult('page.place', 'what is not a string'))
      } catch (thrown) {
        if (!(thrown instanceof BackchannelError)) fault(thrown)
      }
      return undefined
    },

    template: guardTemplate(page?.template, guard),

    details: Object.fromEntries(
      Object.entries(page?.details ?? {}).map(([type, words]) => [type, guardWords(type, words, guard)]),
    ),

    onAnswer: (request, answer) => callHook(() => onAnswer?.({ request, answer }), fault),

    async onUndelivered(undelivered) {
      if (delivery?.onUndelivered === undefined) return
      const told = async () => {
        try {
          await delivery.onUndelivered?.(undelivered)
        } catch (cause) {
          fault(cause)
        }
      }
      await guard.call('queue', 'delivery.onUndelivered', told).catch(() => {}) // too slow: there is an event
    },
  }
}

function guardChannelsFor(
  channelsFor: NonNullable<BackchannelOptions['notices']>['channelsFor'],
  guard: Guard,
): AskHooks['channelsFor'] {
  if (channelsFor === undefined) return undefined
  return (client) => {
    const hook = 'notices.channelsFor'
    const names: unknown = guard.sync('channels', hook, () => channelsFor({ client }))
    return checkShape(namesShape, hook, 'names of channels', names) ?? undefined
  }
}

function guardBindingMessage(
  policy: NonNullable<BackchannelOptions['requests']>['bindingMessage'],
  guard: Guard,
): AskHooks['bindingMessage'] {
  if (typeof policy !== 'function') return undefined
  return (message) => {
    const hook = 'requests.bindingMessage'
    const problem: unknown = guard.sync('clients', hook, () => policy({ message }))
    if (problem === undefined || problem === null) return undefined
    if (typeof problem === 'string') return problem
    throw wrongResult(hook, 'what is not a string')
  }
}

function guardDetailType(type: DetailSchema | DetailType, guard: Guard): DetailType {
  const { schema, isWithin }: DetailType = 'schema' in type ? type : { schema: type }
  const hook = 'requests.authorizationDetails'
  return omitUndefined({
    schema: { safeParse: (value: unknown) => guard.sync('tokens', hook, () => schema.safeParse(value)) },
    isWithin:
      isWithin &&
      ((query: Parameters<typeof isWithin>[0]) => Boolean(guard.sync('tokens', hook, () => isWithin(query)))),
  })
}

function guardTemplate(template: AskHooks['template'], guard: Guard): AskHooks['template'] {
  if (template === undefined) return undefined
  return (view) => {
    const document: unknown = guard.sync('page', 'page.template', () => template(view))
    if (typeof document === 'string') return document
    throw wrongResult('page.template', 'what is not a string')
  }
}

/** A card that is not whole would hide what the user approves. */
function guardWords(type: string, words: DetailWords, guard: Guard): DetailWords {
  const hook = `page.details.${type}`
  return (query) =>
    checkShape(
      cardShape,
      hook,
      'a card',
      guard.sync('page', hook, () => words(query)),
    )
}
