import type { Colors } from './terminal.ts'

/** @returns the colour of a displayed state; words always say the same, so colour is never needed. */
export function stateColor(colors: Colors, state: string): (text: string) => string {
  switch (state) {
    case 'completed':
      return colors.green
    case 'completed_with_failures':
    case 'retrying':
    case 'cancelling':
    case 'rate_limited':
    case 'awaiting_approval':
      return colors.yellow
    case 'failed':
      return colors.red
    case 'running':
      return colors.cyan
    default:
      return colors.dim
  }
}
