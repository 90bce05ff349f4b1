import { z } from 'zod'
import type { SessionUser } from '../../contracts/contracts.ts'
import { present } from '../../core/omitUndefined.ts'

const schema = z.object({
  sub: z.string().min(1),
  authTime: z.number().max(99_999_999_999, 'must be epoch seconds, not milliseconds').nullish(),
  acr: z.string().nullish(),
  amr: z.array(z.string()).nullish(),
})

/**
 * What the host's session says of its user. `null` and `undefined`: nobody.
 * @throws TypeError that names the hook and the member: a user without a `sub` would be taken for somebody else, or for nobody.
 */
export function readSessionUser(hook: 'current' | 'verifyToken', value: unknown): SessionUser | undefined {
  if (value === undefined || value === null) return undefined
  const result = schema.safeParse(value)
  if (result.success) {
    const { sub, authTime, acr, amr } = result.data
    return present({ sub, authTime: authTime ?? undefined, acr: acr ?? undefined, amr: amr ?? undefined })
  }
  const [issue] = result.error.issues
  throw new TypeError(
    `express-ciba: option "session.${hook}" returned a user with a wrong "${issue?.path.join('.')}": ${issue?.message}`,
  )
}
