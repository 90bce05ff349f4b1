import { isDeepStrictEqual } from 'node:util'
import type { AuthorizationDetail } from '../../contracts/request.ts'
import type { Client } from '../../core/client.ts'
import type { AskContext } from '../../core/context.ts'
import { BackchannelError } from '../../core/errors.ts'
import { checkJson, isObject, jsonIn } from '../../core/json.ts'

const maxDetails = 20

/**
 * Reads `authorization_details` (RFC 9396): JSON text from a form, an array from a signed request.
 * @throws BackchannelError `invalid_authorization_details` that names the element and what is wrong with it.
 */
export function readAuthorizationDetails(
  ctx: AskContext,
  value: unknown,
  client: Client,
): readonly AuthorizationDetail[] | undefined {
  if (value === undefined) return undefined
  const list = jsonIn(value, invalid)
  if (!Array.isArray(list) || list.length === 0) throw invalid('must be a JSON array with an element')
  if (list.length > maxDetails) throw invalid(`must have ${maxDetails} elements at most`)
  return list.map((element: unknown, index) => readOne(ctx, element, `element ${index + 1}`, client))
}

function readOne(ctx: AskContext, element: unknown, which: string, { metadata }: Client): AuthorizationDetail {
  if (!isObject(element) || typeof element.type !== 'string') throw invalid(`${which} must be an object with a type`)
  const type = ctx.hooks.detailTypes.get(element.type)
  const isAllowed = metadata.authorization_details_types?.includes(element.type) ?? true
  if (type === undefined || !isAllowed) throw invalid(`${which} has a type that is not supported`)
  const result = type.schema.safeParse(element)
  if (!result.success) {
    const [issue] = result.error.issues
    throw invalid([which, issue?.path.map(String).join('.'), issue?.message].filter(Boolean).join(': '))
  }
  const data: unknown = JSON.parse(JSON.stringify(result.data))
  checkJson(data)
  return { ...(data as object), type: element.type }
}

/** Is what is granted no more than what was asked? The host may say so, type by type. */
export function isWithin(ctx: AskContext, granted: AuthorizationDetail, asked: AuthorizationDetail): boolean {
  if (granted.type !== asked.type) return false
  const type = ctx.hooks.detailTypes.get(granted.type)
  return type?.isWithin === undefined ? isDeepStrictEqual(granted, asked) : type.isWithin({ granted, asked })
}

/**
 * What a token request leaves of the details that were granted (RFC 9396 6).
 * @throws BackchannelError `invalid_authorization_details` for more than was granted.
 */
export function narrowDetails(
  ctx: AskContext,
  wanted: unknown,
  granted: readonly AuthorizationDetail[] | undefined,
  client: Client,
): readonly AuthorizationDetail[] | undefined {
  const details = readAuthorizationDetails(ctx, wanted, client)
  if (details === undefined) return granted
  if (!eachWithinItsOwn(details, granted ?? [], (one, other) => isWithin(ctx, one, other))) {
    throw invalid('must not be more than was granted')
  }
  return details
}

/**
 * Does each of `granted` fit into one of `asked`, and no two of them into the same? A payment that was approved once is
 * not granted twice. Pairs them off by augmenting paths, so that the order of either list makes no difference.
 */
export function eachWithinItsOwn<T>(
  granted: readonly T[],
  asked: readonly T[],
  fits: (granted: T, asked: T) => boolean,
): boolean {
  const takenBy = new Map<number, T>()

  function assign(one: T, tried: Set<number>): boolean {
    return asked.some((each, index) => {
      if (tried.has(index) || !fits(one, each)) return false
      tried.add(index)
      const holder = takenBy.get(index)
      if (holder !== undefined && !assign(holder, tried)) return false
      takenBy.set(index, one)
      return true
    })
  }

  return granted.length <= asked.length && granted.every((one) => assign(one, new Set()))
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_authorization_details', `authorization_details: ${what}`)
}
