import { z } from 'zod'
import type { Channel, NoticeStatus, Sent, StatusCall } from '../../contracts/channel.ts'
import type { Emit } from '../events.ts'
import { omitUndefined } from '../json.ts'
import { checkShape, type Guard, optional, withTimeout, wrongResult } from './guard.ts'

/** Carriers are slower than hooks. */
const sendTimeoutMs = 30_000

const statusShape = z.object({
  messageId: optional(z.string('must be a string')),
  failure: optional(
    z.enum(['undeliverable', 'blocked', 'try_later'], 'must be "undeliverable", "blocked" or "try_later"'),
  ),
})

/**
 * The host's channels, guarded: each wrapped once, so that it stays one and the same object. A `ChannelError` passes,
 * and any other failure is an outage.
 */
export function guardChannels(channels: readonly Channel[], guard: Guard, emit: Emit): readonly Channel[] {
  return channels.map((channel) => guardChannel(channel, guard, emit))
}

function readAddress(hook: string, to: unknown): string | undefined {
  if (to === undefined || to === null || to === '') return undefined
  if (typeof to === 'string') return to
  throw wrongResult(hook, 'what is not a string')
}

/** A wrong id is reported as an event. The notice counts as sent all the same: it has been handed over. */
function readSent(hook: string, emit: Emit, sent: unknown): Sent {
  const { messageId } = (sent ?? {}) as { readonly messageId?: unknown }
  if (typeof messageId === 'string') return { messageId }
  if (messageId === undefined || messageId === null) return {}
  emit({ type: 'fault', cause: wrongResult(hook, 'a messageId that is not a string') })
  return {}
}

function guardChannel(channel: Channel, guard: Guard, emit: Emit): Channel {
  const { name, returnsLink, standsIn, verify, readStatus } = channel
  const hookOf = (member: string) => `channels.${name}.${member}`
  const addressHook = hookOf('address')
  const sendHook = hookOf('send')

  return omitUndefined({
    name,
    returnsLink,
    standsIn,
    address: guard.wrapSync(
      'channels',
      addressHook,
      (user) => channel.address(user),
      (to) => readAddress(addressHook, to),
    ),
    send: guard.wrap(
      'channels',
      sendHook,
      (notice) => channel.send(notice),
      (sent) => readSent(sendHook, emit, sent),
      sendTimeoutMs,
    ),
    // not an outage for anybody: `doctor` tells the error as it is
    verify:
      verify &&
      (async (): Promise<void> => {
        await withTimeout(() => verify.call(channel), sendTimeoutMs, hookOf('verify'))
      }),
    readStatus:
      readStatus &&
      ((call: StatusCall): NoticeStatus | undefined => {
        const status: unknown = guard.sync('channels', hookOf('readStatus'), () => readStatus.call(channel, call))
        if (status === undefined || status === null) return undefined
        return omitUndefined(checkShape(statusShape, hookOf('readStatus'), 'a status', status))
      }),
  } satisfies { [K in keyof Required<Channel>]: Channel[K] | undefined })
}
