import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** So that an encrypted subject stays below the 255 characters of a `sub` (OpenID Connect Core 2). */
const maxSubjectBytes = 160

/** Protects what leaves the process: sealed (secret and unchanged) or signed (unchanged). */
export interface Vault {
  /** Encrypts (AES-256-GCM). `aad` has to be the same when opened: what the text is, and where it belongs. */
  seal(text: string, aad: string): string
  /** @throws Error when the text was not sealed with this secret and this `aad`. */
  open(sealed: string, aad: string): string
  /** HMAC-SHA-256 over the parts, in base64url. */
  sign(...texts: string[]): string
  /**
   * A pairwise name for a subject (OpenID Connect Core 8.1): the same subject and `aad` always give the same name.
   * @throws Error for a subject of more than 160 bytes.
   */
  encryptSubject(sub: string, aad: string): string
  /** The subject behind a name; `undefined` when it was not made with this secret and this `aad`. */
  decryptSubject(name: string, aad: string): string | undefined
}

/** The `aad` of a record's sealed member: no member opens as another one, or in another record. */
export function aad(member: 'authReqId' | 'notificationToken' | 'delivery' | 'accessToken', id: string): string {
  return `${member} ${id}`
}

/** @param secret At least 32 bytes; every process that shares a store needs the same. */
export function createVault(secret: Uint8Array): Vault {
  const sealing = derivedKey(secret, 'express-ciba seal', 32)
  const signing = derivedKey(secret, 'express-ciba sign', 32)
  const naming = derivedKey(secret, 'express-ciba name', 64)
  const namingMac = naming.subarray(0, 32)
  const namingCipher = naming.subarray(32)

  return {
    seal(text, aad) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(aad))
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },

    open(sealed, aad) {
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-16))
      return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
    },

    sign(...texts) {
      return createHmac('sha256', signing).update(JSON.stringify(texts)).digest('base64url')
    },

    // the construction of SIV (RFC 5297): the IV is an HMAC of the subject, and proves it when it is decrypted
    encryptSubject(sub, aad) {
      const bytes = Buffer.from(sub)
      if (bytes.length > maxSubjectBytes)
        throw new Error(`a subject of more than ${maxSubjectBytes} bytes has no pairwise name`)
      const padding = Buffer.alloc((16 - (bytes.length % 16)) % 16) // hides the exact length
      const iv = subjectIv(namingMac, sub, aad)
      const cipher = createCipheriv('aes-256-ctr', namingCipher, iv)
      return Buffer.concat([iv, cipher.update(bytes), cipher.update(padding), cipher.final()]).toString('base64url')
    },

    decryptSubject(name, aad) {
      const bytes = Buffer.from(name, 'base64url')
      const iv = bytes.subarray(0, 16)
      if (iv.length < 16) return undefined
      const decipher = createDecipheriv('aes-256-ctr', namingCipher, iv)
      const padded = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8')
      const sub = padded.replace(/\0+$/, '')
      return timingSafeEqual(subjectIv(namingMac, sub, aad), iv) ? sub : undefined
    },
  }
}

function derivedKey(secret: Uint8Array, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, bytes))
}

function subjectIv(key: Buffer, sub: string, aad: string): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([aad, sub]))
    .digest()
    .subarray(0, 16)
}
