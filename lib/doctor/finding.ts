/** One finding. `remedy` says what to do about a failure or a warning. */
export interface Finding {
  readonly check: string
  readonly result: 'pass' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy?: string
}

export function pass(check: string, detail: string): Finding {
  return { check, result: 'pass', detail }
}
