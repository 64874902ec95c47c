import { App, applyDocumentTheme, applyHostStyleVariables } from '@modelcontextprotocol/ext-apps/app-with-deps'
import type { Locale } from './shown-text.ts'
import { answerOf, type CallTool } from './tool-answer.ts'

/** A host that is silent for so long counts as gone, ms; longer than the server needs to start its manager. */
const callTimeoutMs = 30_000

export interface HostEvents {
  /** The arguments of the tool call that opened the board. */
  onArguments(given: Readonly<Record<string, unknown>>): void
  /** The model called a tool: the queue may have changed. */
  onToolResult(): void
  onLocale(locale: Locale): void
  onDisplayMode(mode: DisplayMode): void
  onEnd(): void
}

export interface DisplayMode {
  readonly isFull: boolean
  readonly mayChange: boolean
}

export interface Host {
  readonly call: CallTool
  toggleDisplayMode(): Promise<void>
  /** Tells the model what the person did here, where the host takes that; its next answer knows. */
  tellModel(text: string): void
}

/** Connects to the host that shows this page. @throws when there is none */
export async function connectHost(version: string, events: HostEvents): Promise<Host> {
  const app = new App(
    { name: 'nightkiln-board', title: 'Nightkiln board', version },
    { availableDisplayModes: ['inline', 'fullscreen'] },
  )
  const took = (): void => {
    const context = app.getHostContext()
    if (context?.theme !== undefined) applyDocumentTheme(context.theme)
    if (context?.styles?.variables !== undefined) applyHostStyleVariables(context.styles.variables)
    events.onLocale({ locale: context?.locale, timeZone: context?.timeZone })
    const isFull = context?.displayMode === 'fullscreen'
    events.onDisplayMode({ isFull, mayChange: context?.availableDisplayModes?.includes('fullscreen') === true })
  }
  app.ontoolinput = ({ arguments: given }) => events.onArguments(given ?? {})
  app.ontoolresult = () => events.onToolResult()
  app.onhostcontextchanged = took
  app.onteardown = () => {
    events.onEnd()
    return {}
  }
  await app.connect()
  took()

  return {
    call: async (name, input) =>
      answerOf(name, await app.callServerTool({ name, arguments: { ...input } }, { timeout: callTimeoutMs })),
    async toggleDisplayMode() {
      const isFull = app.getHostContext()?.displayMode === 'fullscreen'
      const { mode } = await app.requestDisplayMode({ mode: isFull ? 'inline' : 'fullscreen' })
      events.onDisplayMode({ isFull: mode === 'fullscreen', mayChange: true })
    },
    tellModel(text) {
      if (app.getHostCapabilities()?.updateModelContext === undefined) return
      // It is a courtesy: the queue itself tells the model at its next look.
      app.updateModelContext({ content: [{ type: 'text', text }] }).catch(() => {})
    },
  }
}
