import type { Backchannel } from '../backchannel.ts'
import type { Client, Hint, User } from '../contracts/contracts.ts'
import { BackchannelError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import { present } from '../core/omitUndefined.ts'
import type { RequestDetails } from '../core/request.ts'
import type { ProviderClient, ProviderContext, ProviderRequest } from './types.ts'

type Steps = Backchannel['parts']['steps']
type Ask = Parameters<Steps['findUser']>[0]

export interface HelperParts {
  readonly acrValues: readonly string[]
  readonly steps: Steps
  readonly issue: Backchannel['issue']
  readonly emit: Emit
  clientOf(client: ProviderClient): Client
  /** Anything thrown, as the error that oidc-provider answers with. */
  refusal(thrown: unknown, ctx: ProviderContext): unknown
}

interface VerifiedHint {
  readonly sub: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** The hint that `verifyUserCode` below has made of an `id_token_hint`. */
export async function readVerifiedHint(text: string): Promise<Hint> {
  const { sub, claims }: VerifiedHint = JSON.parse(text)
  return { type: 'sub', value: sub, claims }
}

/** What is known of a call so far: the helpers are called one after the other. */
interface Asked {
  readonly client: Client
  context?: Ask['context']
  bindingMessage?: string | undefined
  hint?: Ask['hint']
  user?: User | undefined
}

/**
 * The helpers of `features.ciba`, in the order of their calls. oidc-provider has authenticated the client and read the
 * parameters; whom it asks for, how often they may be asked and how they are reached is decided by the engine's own steps.
 */
export function createHelpers(parts: HelperParts) {
  const { steps } = parts
  const calls = new WeakMap<object, Asked>()

  const askedIn = (ctx: ProviderContext): Asked => {
    const { client } = ctx.oidc
    const known = calls.get(ctx.oidc)
    if (known !== undefined) return known
    if (client === undefined) throw new TypeError('oidc-provider called a helper before it knew the client')
    const asked = { client: parts.clientOf(client) }
    calls.set(ctx.oidc, asked)
    return asked
  }

  /** A helper whose refusals are told as oidc-provider tells its own. */
  const helper =
    <Rest extends unknown[], T>(run: (ctx: ProviderContext, asked: Asked, ...rest: Rest) => T | Promise<T>) =>
    async (ctx: ProviderContext, ...rest: Rest): Promise<T> => {
      try {
        return await run(ctx, askedIn(ctx), ...rest)
      } catch (thrown) {
        const error = thrown instanceof BackchannelError ? thrown.code : 'server_error'
        parts.emit({ type: 'request.refused', error, cause: thrown })
        throw parts.refusal(thrown, ctx)
      }
    }

  async function findUser(ctx: ProviderContext, asked: Asked, hint: Ask['hint']): Promise<User | undefined> {
    asked.hint = hint
    await steps.countRequest(asked.client)
    asked.user = await steps.findUser(askOf(ctx, asked, {}), asked.client)
    return asked.user
  }

  function askOf({ oidc }: ProviderContext, { context, hint }: Asked, details: Partial<RequestDetails>): Ask {
    return {
      details: { scope: wordsIn(oidc.params?.scope), ...details },
      hint: hint ?? { name: 'id_token_hint', value: '' },
      context,
      userCode: textIn(oidc.params?.user_code),
      notificationToken: undefined,
      requestedExpiry: undefined,
    }
  }

  return {
    validateRequestContext: helper((_ctx, asked, text?: string): void => {
      asked.context = steps.readContext(textIn(text))
    }),

    validateBindingMessage: helper((ctx, asked, text?: string): void => {
      const explained = ctx.oidc.params?.authorization_details !== undefined
      asked.bindingMessage = steps.checkBindingMessage(textIn(text), text === '', explained)
    }),

    processLoginHint: helper(async (ctx, asked, value: string = '') => {
      return (await findUser(ctx, asked, { name: 'login_hint', value }))?.sub
    }),

    processLoginHintToken: helper(async (ctx, asked, value: string = '') => {
      return (await findUser(ctx, asked, { name: 'login_hint_token', value }))?.sub
    }),

    verifyUserCode: helper(async (ctx, asked, { accountId }: { accountId: string }, _code?: string): Promise<void> => {
      // an id_token_hint has been verified, and what it names was found
      if (asked.hint === undefined) {
        const value: VerifiedHint = { sub: accountId, claims: ctx.oidc.entities.IdTokenHint?.payload ?? {} }
        await findUser(ctx, asked, { name: 'id_token_hint', value: JSON.stringify(value) })
      }
      if (asked.user?.sub !== accountId) {
        throw new TypeError('express-ciba: option "users.find" and findAccount of oidc-provider name different users')
      }
      await steps.checkUserCode(askOf(ctx, asked, {}), asked.user, asked.client)
    }),

    triggerAuthenticationDevice: helper(async (ctx, asked, request: ProviderRequest): Promise<void> => {
      try {
        const details = await detailsOf(ctx, asked)
        const begun = { ...asked, user: asked.user, ask: askOf(ctx, asked, details), binding: {} }
        // ours ends first, so that no answer is taken which comes too late there
        const seconds = Math.max(1, request.expiration - 1)
        const { link } = await parts.issue(begun, { authReqId: request.jti, seconds })
        if (link !== undefined) ctx.body = { ...(ctx.body as object), link }
      } catch (thrown) {
        await request.destroy().catch(() => {}) // nobody will ever hear of it
        throw thrown
      }
    }),
  }

  async function detailsOf({ oidc }: ProviderContext, asked: Asked): Promise<Partial<RequestDetails>> {
    const { params = {}, claims, client } = oidc
    const maxAge = Number(params.max_age)
    const acr = (claims as { id_token?: Record<string, unknown> } | undefined)?.id_token?.acr
    const acrValues = wordsIn(params.acr_values).filter((each) => parts.acrValues.includes(each))
    const { requireAuthTime } = client as { requireAuthTime?: unknown }
    const rar = params.authorization_details
    return present({
      bindingMessage: asked.bindingMessage,
      requestContext: asked.context?.all,
      acrValues: acrValues.length > 0 ? acrValues : undefined,
      claims: acr === undefined ? undefined : { id_token: { acr } },
      maxAge: params.max_age === undefined || Number.isNaN(maxAge) ? undefined : maxAge,
      requireAuthTime: requireAuthTime === true ? (true as const) : undefined,
      authorizationDetails: rar === undefined ? undefined : await steps.readAuthorizationDetails(rar, asked.client),
    })
  }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function wordsIn(value: unknown): readonly string[] {
  return textIn(value)?.split(' ') ?? []
}
