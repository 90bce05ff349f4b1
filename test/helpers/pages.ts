import type { Page, Question } from 'express-ciba'

const now = Date.UTC(2026, 10, 20, 14, 7)

/** A question with everything that a question can have. */
export const question: Question = {
  state: 'ask',
  clientName: 'Corner Bank call centre',
  bindingMessage: 'K7Q-2M4',
  scope: ['openid', 'email', 'payments:read', 'offline_access'],
  authorizationDetails: [
    {
      type: 'payment_initiation',
      instructedAmount: { currency: 'EUR', amount: '123.50' },
      creditorName: 'Merchant A',
      creditorAccount: { iban: 'DE02100100109307118603' },
    },
    { type: 'account_information', actions: ['list_accounts', 'read_balances'] },
  ],
  requestedAt: now - 130_000,
  expiresAt: now + 470_000,
  now,
  place: 'Zürich, Switzerland',
  action: '/auth/backchannel/approve/abc',
  csrf: 'csrf-value',
}

/** The same question, in the least of words. */
export const plainQuestion: Question = {
  state: 'ask',
  clientName: 'till',
  scope: ['openid'],
  requestedAt: now,
  expiresAt: now + 600_000,
  now,
  action: '/approve/abc',
  csrf: 'csrf-value',
}

/** Every page there is, by name. */
export const pages: Readonly<Record<string, Page>> = {
  ask: question,
  plain: plainQuestion,
  choices: { ...question, choices: ['K7Q-2M4', 'R3B-9T1', 'W5H-6X8'] },
  long: {
    ...question,
    clientName: 'Vereinigte Genossenschaftsbanken Nordwestdeutschland',
    bindingMessage:
      'Überweisung von 1.234.567,89 EUR an die Donaudampfschifffahrtsgesellschaft, Auftrag 2026-11-20-778812',
  },
  signed_out: { state: 'signed_out', signInUrl: '/login?next=%2Fapprove%2Fabc' },
  step_up: { state: 'step_up', signInUrl: '/login?next=%2Fapprove%2Fabc%3Fagain' },
  ...Object.fromEntries(
    (['approved', 'denied', 'reported', 'answered', 'expired', 'unknown', 'wrong_user', 'error'] as const).map(
      (state) => [state, { state }],
    ),
  ),
}
