import {
  type BoardState,
  firstState,
  isBusy,
  needsOlder,
  wishOf,
  withOlderRead,
  withSearch,
  withSeen,
  withSelected,
} from './board-state.ts'
import { type ActionName, actionsFor, type JobAction, outcomeOf } from './job-actions.ts'
import type { Filter } from './job-groups.ts'
import { lookAtQueue, readOlder } from './queue-reader.ts'
import { type CallTool, ToolRefusal } from './tool-answer.ts'

export interface BoardParts {
  readonly call: CallTool
  /** Called after each change. */
  onChange(state: BoardState): void
  /** The queue was changed from here: look at once. */
  onActed(): void
  /** What the person did, for the model. */
  tellModel(text: string): void
  newIdempotencyKey(): string
}

/** What a person can do here. The state is replaced, never changed. */
export interface Board {
  readonly state: BoardState
  change(next: Partial<BoardState>): void
  /** @returns whether something goes on in the queue @throws when nobody answered */
  look(): Promise<boolean>
  search(text: string): void
  show(filter: Filter): void
  /** With the next look: one thing at a time is read, so that no answer undoes another. */
  showOlder(): void
  select(jobId: string | null): void
  /** First step: runs an action, or asks about one that cannot be undone. */
  press(action: ActionName): Promise<void>
  /** Second step. */
  confirm(): Promise<void>
  keep(): void
}

export function createBoard(parts: BoardParts): Board {
  let state = firstState
  /** By job and action: a re-run that failed on its way is repeated with the same key. */
  const keys = new Map<string, string>()

  const set = (next: BoardState): void => {
    state = next
    parts.onChange(state)
  }

  const chosenAction = (name: ActionName): JobAction | undefined => {
    const job = state.selected === null ? undefined : state.seen.views.get(state.selected)
    return job === undefined ? undefined : actionsFor(job).find((action) => action.name === name)
  }

  const run = async (action: JobAction): Promise<void> => {
    const jobId = state.selected
    if (jobId === null || state.busy !== null) return
    set({ ...state, busy: { jobId, action: action.name }, confirming: null, notice: null })
    const about = `${jobId} ${action.name}`
    const key = keys.get(about) ?? parts.newIdempotencyKey()
    if (action.isSubmit) keys.set(about, key)
    const input = action.isSubmit ? { ...action.input, idempotency_key: key } : action.input
    try {
      const outcome = outcomeOf(action, await parts.call(action.tool, input))
      keys.delete(about)
      set({ ...state, busy: null, notice: { jobId, ...outcome } })
      if (outcome.isGood)
        parts.tellModel(`In the Nightkiln board the user did this: ${action.tool} ${JSON.stringify(action.input)}`)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      const shown = error instanceof ToolRefusal ? text : `${action.label} did not reach the queue: ${text}`
      set({ ...state, busy: null, notice: { jobId, text: shown, isGood: false, opens: null } })
    }
    parts.onActed()
  }

  return {
    get state() {
      return state
    },
    change: (next) => set({ ...state, ...next }),
    async look() {
      const wish = wishOf(state)
      const seen = await lookAtQueue(parts.call, state.seen, wish)
      // The state as it is now: the person went on meanwhile.
      set(withSeen(state, wish, seen))
      if (state.isReadingOlder || needsOlder(state)) {
        const older = wishOf(state)
        const known = await readOlder(parts.call, state.seen.known, older)
        set(withOlderRead(state, older, known))
      }
      return isBusy(state)
    },
    search: (text) => set(withSearch(state, text.trim())),
    show: (filter) => set({ ...state, filter }),
    showOlder: () => set({ ...state, isReadingOlder: true }),
    select: (jobId) => set(withSelected(state, jobId)),
    async press(name) {
      const action = chosenAction(name)
      if (action === undefined || state.selected === null) return
      if (action.confirm === null) await run(action)
      else set({ ...state, confirming: { jobId: state.selected, action: name }, notice: null })
    },
    async confirm() {
      const action = state.confirming === null ? undefined : chosenAction(state.confirming.action)
      if (action !== undefined) await run(action)
    },
    keep: () => set({ ...state, confirming: null }),
  }
}
