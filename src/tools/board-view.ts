const board = 'ui://nightkiln/board'

/** Hosts that show MCP Apps show the board with the answer; the second key is how older ones find it. */
export const boardView = { ui: { resourceUri: board }, 'ui/resourceUri': board } as const
