import type { GrantRecord, Rotation } from '../../../contracts/request.ts'
import { type RotationOutcome, rotateFamily } from '../../../core/refreshFamily.ts'
import type { Access } from './access.ts'

// Keys: `g:` the refresh token family, `u:` the single-use key of its current token

export function findGrant({ backend }: Access, id: string): Promise<GrantRecord | undefined> {
  return backend.get<GrantRecord>(`g:${id}`)
}

export async function addGrant({ backend, singleUse }: Access, grant: GrantRecord): Promise<void> {
  await singleUse.put(keyOf(grant), grant.expiresAt)
  await backend.set(`g:${grant.id}`, grant, grant.expiresAt)
}

export function rotate(access: Access, id: string, rotation: Rotation): Promise<RotationOutcome | undefined> {
  return access.inTurn(`g:${id}`, async () => {
    const { from, now } = rotation
    const family = await findGrant(access, id)
    if (family === undefined || family.expiresAt <= now) return undefined
    if (family.tokenHash !== from) return apply(access, family, rotation)
    const isWinner = await access.singleUse.use(keyOf(family), family.expiresAt, () => apply(access, family, rotation))
    if (isWinner) return 'rotated'
    const next = await access.singleUse.afterWinner(
      () => findGrant(access, id),
      (is) => is?.tokenHash !== from,
    )
    return next && apply(access, next, rotation)
  })
}

export function endGrant(access: Access, id: string): Promise<void> {
  const { backend, singleUse } = access
  return access.inTurn(`g:${id}`, async () => {
    const family = await findGrant(access, id)
    if (family === undefined) return
    // a rotation under way in another process would write the family again: first it has to be done
    if (!(await backend.delete(keyOf(family)))) {
      await singleUse
        .afterWinner(
          () => findGrant(access, id),
          (is) => is?.tokenHash !== family.tokenHash,
        )
        .catch(() => {})
    }
    await backend.delete(`g:${id}`)
  })
}

/** Writes what a rotation makes of a family. */
async function apply(access: Access, family: GrantRecord, rotation: Rotation): Promise<RotationOutcome> {
  const { outcome, next } = rotateFamily(family, rotation)
  if (next === undefined) await access.backend.delete(`g:${family.id}`)
  else await addGrant(access, next)
  return outcome
}

function keyOf({ id, tokenHash }: Pick<GrantRecord, 'id' | 'tokenHash'>): string {
  return `u:${id}:${tokenHash}`
}
