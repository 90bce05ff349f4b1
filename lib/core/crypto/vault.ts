import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto'

/** Characters of a handle that say where its record is: 12 random bytes in base64url. */
const idLength = 16
/** 12 bytes of place and 32 bytes of secret, in base64url. */
const handleLength = 59
const handlePattern = /^[A-Za-z0-9_-]{59}$/

/** A call for random bytes costs the same for a few as for many: they are fetched ahead, and wiped as they are used. */
const ahead = Buffer.alloc(4_096)
let used = ahead.length

/** So many random bytes, in base64url. */
export function randomText(length: number): string {
  if (used + length > ahead.length) {
    randomFillSync(ahead)
    used = 0
  }
  const bytes = ahead.subarray(used, used + length)
  used += length
  const text = bytes.toString('base64url')
  bytes.fill(0)
  return text
}

/** A new place for a record. */
export function newId(): string {
  return randomText(12)
}

/**
 * A new handle for the record at `id`: an `auth_req_id`, a link, a ticket or a refresh token.
 * 32 random bytes behind the place; the store keeps only its hash.
 */
export function newHandle(id: string): string {
  return id + randomText(32)
}

/**
 * The handle of a link, which can be made again to send the same link twice although the store knows only its hash:
 * an HMAC in place of random bytes.
 */
export function linkHandle(vault: Vault, id: string): string {
  return id + vault.sign('link', id)
}

/** Where the record of a handle is, or `undefined` when the text cannot be a handle of ours. */
export function idOf(handle: string): string | undefined {
  return handle.length === handleLength && handlePattern.test(handle) ? handle.slice(0, idLength) : undefined
}

/** Could the text be the place of a record, as events name it? */
export function isId(text: string): boolean {
  return text.length === idLength && /^[A-Za-z0-9_-]+$/.test(text)
}

/** SHA-256 in base64url: what a store may know of a handle. */
export function hashOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Compares two texts in a time that tells nothing about where they differ, or how long they are. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
}

/** So that a name stays below the 255 characters of a `sub` (OpenID Connect Core 2). */
const longestNamed = 160

/** Keeps things safe that leave the process: sealed (secret and untouched) or signed (untouched). */
export interface Vault {
  /** Encrypts (AES-256-GCM). `context` has to be the same when opened. */
  seal(text: string, context: string): string
  /** @throws Error when the text was not sealed with this secret in this context. */
  open(sealed: string, context: string): string
  /** HMAC-SHA-256 over the parts, in base64url. */
  sign(...parts: string[]): string
  /** Another name for the same text in the same context, always the same one, that only we can tell apart. */
  disguise(text: string, context: string): string
  /** What a name stands for; `undefined` when it was not made with this secret in this context. */
  reveal(name: string, context: string): string | undefined
}

/** The context of a record's sealed member: none opens as another one, or in another record. */
export function contextOf(member: 'authReqId' | 'notificationToken' | 'delivery' | 'accessToken', id: string): string {
  return `${member} ${id}`
}

/** @param secret At least 32 bytes; every process that shares a store needs the same. */
export function createVault(secret: Uint8Array): Vault {
  const sealing = Buffer.from(hkdfSync('sha256', secret, '', 'express-ciba seal', 32))
  const signing = Buffer.from(hkdfSync('sha256', secret, '', 'express-ciba sign', 32))
  const naming = Buffer.from(hkdfSync('sha256', secret, '', 'express-ciba name', 64))
  const nameIv = (text: string, context: string) =>
    createHmac('sha256', naming.subarray(0, 32))
      .update(JSON.stringify([context, text]))
      .digest()
      .subarray(0, 16)
  return {
    seal(text, context) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(context))
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, 12))
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
      return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
    },
    sign(...parts) {
      return createHmac('sha256', signing).update(JSON.stringify(parts)).digest('base64url')
    },
    // the construction of SIV (RFC 5297): what the text is, is its own nonce and its own proof
    disguise(text, context) {
      const bytes = Buffer.from(text)
      if (bytes.length > longestNamed) throw new Error(`more than ${longestNamed} bytes cannot be given another name`)
      const padded = Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)]) // its length tells little
      const iv = nameIv(text, context)
      const cipher = createCipheriv('aes-256-ctr', naming.subarray(32), iv)
      return Buffer.concat([iv, cipher.update(padded), cipher.final()]).toString('base64url')
    },
    reveal(name, context) {
      const bytes = Buffer.from(name, 'base64url')
      const iv = bytes.subarray(0, 16)
      if (iv.length < 16) return undefined
      const decipher = createDecipheriv('aes-256-ctr', naming.subarray(32), iv)
      const text = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8')
      const plain = text.replace(/\0+$/, '')
      return timingSafeEqual(nameIv(plain, context), iv) ? plain : undefined
    },
  }
}
