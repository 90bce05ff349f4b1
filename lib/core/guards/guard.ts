import { z } from 'zod'
import type { BackchannelEvent, Telemetry } from '../../contracts/telemetry.ts'
import { BackchannelError, ChannelError, unavailable } from '../errors.ts'
import type { Emit } from '../events.ts'
import { observe } from '../observe.ts'

/** What the host plugged in, as `outage` events name it. */
export type Part = Extract<BackchannelEvent, { type: 'outage' }>['of']

/** Calls what the host plugged in. A failure there is an outage for the caller, and never read as an answer. */
export interface Guard {
  /**
   * Calls a hook, as telemetry watches.
   * @param hook Its option, such as `users.find`, for the log.
   * @param timeoutMs Milliseconds it may take. Defaults to the option `timeoutSeconds`.
   * @throws BackchannelError `temporarily_unavailable` when it throws, rejects, or takes longer; an event `outage` says
   *   why. A BackchannelError or ChannelError of the hook's own is passed on.
   */
  call<T>(part: Part, hook: string, step: () => T | PromiseLike<T>, timeoutMs?: number): Promise<T>
  /**
   * The hook behind its guard: what it is called through from then on.
   * @param read Checks what came back, and says what it means. What it throws is a mistake of the host's, no outage.
   * @throws as `call`.
   */
  wrap<Args extends readonly unknown[], T>(
    part: Part,
    hook: string,
    step: (...args: Args) => T | PromiseLike<T>,
  ): (...args: Args) => Promise<T>
  wrap<Args extends readonly unknown[], T, Result>(
    part: Part,
    hook: string,
    step: (...args: Args) => T | PromiseLike<T>,
    read: (result: T) => Result,
    timeoutMs?: number,
  ): (...args: Args) => Promise<Result>
  /**
   * Calls a hook that must answer at once.
   * @throws as `call`, and TypeError when it returned a promise.
   */
  sync<T>(part: Part, hook: string, step: () => T): T
  /** As `wrap`, for a hook that must answer at once. */
  wrapSync<Args extends readonly unknown[], T, Result>(
    part: Part,
    hook: string,
    step: (...args: Args) => T,
    read: (result: T) => Result,
  ): (...args: Args) => Result
}

export interface GuardOptions {
  readonly emit: Emit
  readonly telemetry: Pick<Telemetry, 'step'> | undefined
  /** Milliseconds that a call may take. */
  readonly timeoutMs: number
}

/** Makes the guard that everything the host plugged in is called through. */
export function createGuard(options: GuardOptions): Guard {
  const { emit, telemetry } = options

  function asOutage(part: Part, thrown: unknown): Error {
    if (thrown instanceof BackchannelError || thrown instanceof ChannelError) return thrown
    emit({ type: 'outage', of: part, cause: thrown })
    return unavailable(thrown)
  }

  async function attempt<T>(part: Part, hook: string, step: () => T | PromiseLike<T>, ms: number): Promise<T> {
    try {
      return await withTimeout(step, ms, hook)
    } catch (thrown) {
      throw asOutage(part, thrown)
    }
  }

  function call<T>(part: Part, hook: string, step: () => T | PromiseLike<T>, ms = options.timeoutMs): Promise<T> {
    if (telemetry === undefined) return attempt(part, hook, step, ms)
    return observe(
      telemetry,
      part === 'channels' ? 'channel' : part,
      () => attempt(part, hook, step, ms),
      (cause) => emit({ type: 'fault', cause }),
    )
  }

  function sync<T>(part: Part, hook: string, step: () => T): T {
    let result: T
    try {
      result = step()
    } catch (thrown) {
      throw asOutage(part, thrown)
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return result
    Promise.resolve(result).catch(() => {}) // a rejection that is not handled would end the process
    throw new TypeError(`express-ciba: option "${hook}" must answer at once, and returned a promise`)
  }

  return {
    call,

    wrap<Args extends readonly unknown[], T, Result>(
      part: Part,
      hook: string,
      step: (...args: Args) => T | PromiseLike<T>,
      read?: (result: T) => Result,
      timeoutMs?: number,
    ) {
      return async (...args: Args): Promise<T | Result> => {
        const result = await call(part, hook, () => step(...args), timeoutMs)
        return read === undefined ? result : read(result)
      }
    },

    sync,

    wrapSync(part, hook, step, read) {
      return (...args) => read(sync(part, hook, () => step(...args)))
    },
  }
}

/**
 * The result of a step, unless it takes longer than `ms` milliseconds. A result or rejection after that is ignored.
 * @param who Names in the error what did not answer in time.
 * @throws Error when it took longer.
 */
export async function withTimeout<T>(step: () => T | PromiseLike<T>, ms: number, who: string): Promise<T> {
  let resolve: (result: T) => void = () => {}
  let reject: (cause: unknown) => void = () => {}
  const outcome = new Promise<T>((...settle) => {
    ;[resolve, reject] = settle
  })
  const timer = setTimeout(tooLate, ms, reject, who, ms)
  try {
    const result = step()
    if (typeof (result as PromiseLike<T> | null | undefined)?.then !== 'function')
      return result as T
      // half the cost of Promise.race, which every call of a host's would pay
    ;(result as PromiseLike<T>).then(resolve, reject)
    return await outcome
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(reject: (cause: unknown) => void, who: string, ms: number): void {
  reject(new Error(`${who} did not answer within ${ms} ms`))
}

/** `sub` of a user: 1 to 255 visible ASCII characters (OpenID Connect Core 2). */
export const subShape = z
  .string('must be a string')
  .regex(/^[\x21-\x7E]{1,255}$/, 'must be 1 to 255 visible ASCII characters')

/** A member that may be absent; `null` counts as absent. */
export function optional<Schema extends z.ZodType>(shape: Schema) {
  return shape.nullish().transform((value): z.output<Schema> | undefined => value ?? undefined)
}

/**
 * Checks what a hook of the host's returned.
 * @param what What it is called in the error: `a user`, `tokens`.
 * @throws TypeError that names the option and the member, and holds no value.
 */
export function checkShape<Schema extends z.ZodType>(
  shape: Schema,
  hook: string,
  what: string,
  value: unknown,
): z.output<Schema> {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const member = issue?.path.join('.') ?? ''
  throw member === ''
    ? wrongResult(hook, `what is not ${what}`)
    : wrongResult(hook, `${what} with a wrong "${member}": ${issue?.message}`)
}

/** A mistake in a hook of the host's, for its log. */
export function wrongResult(hook: string, what: string): TypeError {
  return new TypeError(`express-ciba: option "${hook}" returned ${what}`)
}
