import type { X509Certificate } from 'node:crypto'
import type { Request } from 'express'

export function certificateFrom(_req: Request): X509Certificate | undefined {
  return undefined
}
