/** What one check of doctor found. */
export interface Check {
  readonly id: string
  readonly title: string
  readonly status: 'ok' | 'warning' | 'problem'
  readonly detail: string
  /** One line: what to do; null when all is well. */
  readonly remedy: string | null
}

/** @returns makers of the results of one check. */
export function checkNamed(id: string, title: string) {
  return {
    ok: (detail: string): Check => ({ id, title, status: 'ok', detail, remedy: null }),
    warning: (detail: string, remedy: string): Check => ({ id, title, status: 'warning', detail, remedy }),
    problem: (detail: string, remedy: string): Check => ({ id, title, status: 'problem', detail, remedy }),
  }
}
