import { isDeepStrictEqual } from 'node:util'
import type { ClientMetadata } from '../../contracts/contracts.ts'
import { BackchannelError } from '../../core/errors.ts'
import { checkJson, isObject, parseJson } from '../../core/json.ts'
import type { AuthorizationDetail } from '../../core/request.ts'
import { eachWithinItsOwn } from '../../core/timeout.ts'

/** A zod schema (3 or 4) of a whole element, `type` included. Make it strict: unknown fields have to be refused. */
export interface DetailSchema {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: unknown }
    | {
        readonly success: false
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
        }
      }
}

/** One type of authorization details. */
export interface DetailType {
  readonly schema: DetailSchema
  /** Is what is granted no more than what was asked? Defaults to: they are equal. */
  readonly isWithin?: (granted: AuthorizationDetail, asked: AuthorizationDetail) => boolean
}

/** The types on offer, by name; a schema alone will do. */
export type DetailTypes = Readonly<Record<string, DetailSchema | DetailType>>

const mostDetails = 20

/** Rich authorization requests (RFC 9396). */
export function createAuthorizationDetails(types: DetailTypes) {
  const known = new Map(Object.entries(types).map(([name, type]) => [name, 'schema' in type ? type : { schema: type }]))

  function isWithin(granted: AuthorizationDetail, asked: AuthorizationDetail): boolean {
    if (granted.type !== asked.type) return false
    const type: DetailType | undefined = known.get(granted.type)
    return type?.isWithin === undefined ? isDeepStrictEqual(granted, asked) : type.isWithin(granted, asked)
  }

  /**
   * Reads `authorization_details`: JSON text from a form, an array from a signed request.
   * @throws BackchannelError `invalid_authorization_details` that names the element and what is wrong with it.
   */
  function read(value: unknown, client: ClientMetadata): readonly AuthorizationDetail[] | undefined {
    if (value === undefined) return undefined
    const list = typeof value === 'string' ? parse(value) : value
    if (!Array.isArray(list) || list.length === 0) throw invalid('must be a JSON array with an element')
    if (list.length > mostDetails) throw invalid(`must have ${mostDetails} elements at most`)
    return list.map((element, index) => readOne(element, `element ${index + 1}`, client))
  }

  function readOne(element: unknown, which: string, client: ClientMetadata): AuthorizationDetail {
    if (!isObject(element) || typeof element.type !== 'string') throw invalid(`${which} must be an object with a type`)
    const type = known.get(element.type)
    const allowed = client.authorization_details_types?.includes(element.type) ?? true
    if (type === undefined || !allowed) throw invalid(`${which} has a type that is not supported`)
    const result = type.schema.safeParse(element)
    if (!result.success) {
      const [issue] = result.error.issues
      throw invalid([which, issue?.path.join('.'), issue?.message].filter(Boolean).join(': '))
    }
    const data: unknown = JSON.parse(JSON.stringify(result.data))
    checkJson(data)
    return { ...(data as object), type: element.type }
  }

  return {
    types: [...known.keys()],
    isWithin,
    read,

    /**
     * What a token request leaves of the details that were granted (RFC 9396 6).
     * @throws BackchannelError `invalid_authorization_details` for more than was granted.
     */
    narrow(
      value: unknown,
      granted: readonly AuthorizationDetail[] | undefined,
      client: ClientMetadata,
    ): readonly AuthorizationDetail[] | undefined {
      const wanted = read(value, client)
      if (wanted === undefined) return granted
      if (eachWithinItsOwn(wanted, granted ?? [], isWithin)) return wanted
      throw invalid('must not be more than was granted')
    },
  }
}

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (thrown) {
    throw invalid((thrown as Error).message)
  }
}

function invalid(what: string): BackchannelError {
  return new BackchannelError('invalid_authorization_details', `authorization_details: ${what}`)
}
