import { hash, randomFillSync, timingSafeEqual } from 'node:crypto'
import type { Vault } from './vault.ts'

/** The first characters of a handle name its record: 12 random bytes in base64url. */
const idLength = 16
const idPattern = /^[A-Za-z0-9_-]+$/
/** 12 bytes of id and 32 bytes of secret, in base64url. */
const handleLength = 59

/**
 * Random bytes that were fetched ahead, and are wiped as they are used: a call for a few costs as much as one for many.
 * Without it a backchannel request takes 5 % more (16 of 300 µs; `npm run bench`, row A).
 */
const ahead = { bytes: Buffer.alloc(4_096), used: 4_096 }

/** So many random bytes, in base64url. */
export function randomText(length: number): string {
  if (ahead.used + length > ahead.bytes.length) {
    randomFillSync(ahead.bytes)
    ahead.used = 0
  }
  const bytes = ahead.bytes.subarray(ahead.used, ahead.used + length)
  ahead.used += length
  const text = bytes.toString('base64url')
  bytes.fill(0)
  return text
}

/** A new public id for a record. */
export function newId(): string {
  return randomText(12)
}

/**
 * A new handle for the record at `id`: an `auth_req_id`, a ticket or a refresh token. 32 random bytes follow the id,
 * and the store keeps only the hash of the handle.
 */
export function newHandle(id: string): string {
  return id + randomText(32)
}

/**
 * The handle in the link of a request. It is an HMAC in place of random bytes, so that the same link can be sent again
 * although the store knows only its hash.
 */
export function linkHandle(vault: Pick<Vault, 'sign'>, id: string): string {
  return id + vault.sign('link', id)
}

/** The id of the record that a handle leads to; `undefined` when the text cannot be a handle of ours. */
export function idOf(handle: string): string | undefined {
  return handle.length === handleLength && idPattern.test(handle) ? handle.slice(0, idLength) : undefined
}

/** Could the text be the public id of a record? */
export function isId(text: string): boolean {
  return text.length === idLength && idPattern.test(text)
}

/** SHA-256 in base64url: what a store may know of a handle. */
export function hashOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Compares two texts in a time that tells nothing about where they differ, or how long they are. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}
