import type { Hint, User } from '../contracts/users.ts'
import type { AskContext } from '../core/context.ts'
import { BackchannelError } from '../core/errors.ts'
import { admit } from '../protocol/limits/prompts.ts'
import { checkBindingMessage } from '../protocol/request/bindingMessage.ts'
import { type HintParameter, readLoginHint, readLoginHintToken } from '../protocol/request/hint.ts'
import { issue } from '../protocol/request/issue.ts'
import { readContext } from '../protocol/request/requestContext.ts'
import { checkUserCode, findUser } from '../protocol/request/user.ts'
import { type CibaCall, detailsOf, hintIn, newCall, textIn, userCodeIn, wordsIn } from './call.ts'
import { refusalOf } from './refusal.ts'
import type { CibaHelpers, ProviderContext, ProviderRequest, ProviderServer } from './types.ts'

/** A helper, with what the ones before it have found out. */
type Helper<Rest extends unknown[], Result> = (
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  ...rest: Rest
) => Promise<Result> | Result

/**
 * The helpers of `features.ciba`, in the order of their calls. oidc-provider has authenticated the client and read the
 * parameters; which users are asked, how often and how they are reached is decided by our own steps.
 */
export function createHelpers(ctx: AskContext, server: ProviderServer): CibaHelpers {
  const calls = new WeakMap<object, CibaCall>()

  function callOf(koa: ProviderContext): CibaCall {
    const known = calls.get(koa.oidc)
    if (known !== undefined) return known
    const call = newCall(koa)
    calls.set(koa.oidc, call)
    return call
  }

  /** A helper whose refusals are told as oidc-provider tells its own. */
  function helper<Rest extends unknown[], Result>(run: Helper<Rest, Result>) {
    return async (koa: ProviderContext, ...rest: Rest): Promise<Result> => {
      try {
        return await run(ctx, koa, callOf(koa), ...rest)
      } catch (thrown) {
        const error = thrown instanceof BackchannelError ? thrown.code : 'server_error'
        ctx.emit({ type: 'request.refused', error, cause: thrown })
        throw refusalOf(server.errors, thrown, koa)
      }
    }
  }

  return {
    validateRequestContext: helper(validateRequestContext),
    validateBindingMessage: helper(validateBindingMessage),
    processLoginHint: helper(processLoginHint),
    processLoginHintToken: helper(processLoginHintToken),
    verifyUserCode: helper(verifyUserCode),
    triggerAuthenticationDevice: helper(triggerAuthenticationDevice),
  }
}

function validateRequestContext(_ctx: AskContext, _koa: ProviderContext, call: CibaCall, text?: string): void {
  call.context = readContext(textIn(text))
}

function validateBindingMessage(ctx: AskContext, { oidc }: ProviderContext, call: CibaCall, text?: string): void {
  const explained = oidc.params?.authorization_details !== undefined
  call.bindingMessage = checkBindingMessage(ctx, textIn(text), { sentEmpty: text === '', explained }, false)
}

async function processLoginHint(
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  value: string = '',
): Promise<string | undefined> {
  const user = await identify(ctx, koa, call, { name: 'login_hint', value }, () =>
    readLoginHint(value, call.context?.loginHintType, ctx.settings.issuer),
  )
  return user?.sub
}

async function processLoginHintToken(
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  value: string = '',
): Promise<string | undefined> {
  const user = await identify(ctx, koa, call, { name: 'login_hint_token', value }, () =>
    readLoginHintToken(ctx, value, call.client),
  )
  return user?.sub
}

async function verifyUserCode(
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  { accountId }: { accountId: string },
  _code?: string,
): Promise<void> {
  // oidc-provider verifies an id_token_hint by itself, and calls no helper for it
  if (call.hint === undefined) {
    const claims = koa.oidc.entities.IdTokenHint?.payload ?? {}
    const hint = { name: 'id_token_hint', value: accountId } as const
    await identify(ctx, koa, call, hint, () => ({ type: 'sub', value: accountId, claims }))
  }
  const { user, client } = call
  if (user?.sub !== accountId) {
    throw new TypeError('express-ciba: option "users.find" and findAccount of oidc-provider name different users')
  }
  await checkUserCode(ctx, { userCode: userCodeIn(koa), hint: hintIn(call) }, user, client)
}

async function triggerAuthenticationDevice(
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  request: ProviderRequest,
): Promise<void> {
  try {
    const asked = {
      details: await detailsOf(ctx, koa, call),
      hint: hintIn(call),
      context: call.context,
      userCode: userCodeIn(koa),
      notificationToken: undefined,
      requestedExpiry: undefined,
    }
    // ours ends first, so that no answer is taken which comes too late there
    const given = { authReqId: request.jti, seconds: Math.max(1, request.expiration - 1) }
    const { client, deliveryMode, user } = call
    const { link } = await issue(ctx, { client, deliveryMode, asked, binding: {}, user }, given)
    if (link !== undefined) koa.body = { ...(koa.body as object), link }
  } catch (thrown) {
    await request.destroy().catch(() => {}) // its auth_req_id is not given out
    throw thrown
  }
}

/** Finds the user that a hint names, and keeps both for the helpers to come. */
async function identify(
  ctx: AskContext,
  koa: ProviderContext,
  call: CibaCall,
  hint: HintParameter,
  readHint: () => Promise<Hint | undefined> | Hint,
): Promise<User | undefined> {
  call.hint = hint
  await admit(ctx, call.client)
  const details = { scope: wordsIn(koa.oidc.params?.scope) }
  call.user = await findUser(ctx, { client: call.client, details, hint: await readHint() })
  return call.user
}
