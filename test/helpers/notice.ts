import type { Notice } from 'express-ciba'

/** A notice to carry. */
export function noticeWith(changes: Partial<Notice> = {}): Notice {
  return {
    to: 'alice@example.com',
    link: `https://login.example.com/auth/backchannel/approve?r=${'A'.repeat(59)}`,
    message: "To verify it's you, click this link:",
    clientName: 'Corner Bank till',
    locale: 'en',
    expiresInSeconds: 600,
    domain: 'login.example.com',
    context: {},
    reference: 'reference-number',
    ...changes,
  }
}

/** What a channel's `send` failed with. */
export async function failureOf(sending: unknown): Promise<string> {
  try {
    await sending
  } catch (thrown) {
    return (thrown as { failure?: string }).failure ?? String(thrown)
  }
  return 'sent'
}
