import type { LogTail } from '../log-tail.ts'
import { element, setShown, setText } from './elements.ts'

/** So near to the end counts as reading along, in pixels. */
const followMargin = 24

export interface LogView {
  readonly root: HTMLElement
  update(tail: LogTail | null, isBatch: boolean): void
}

/** The end of the output; it follows what comes as long as nobody scrolls up. */
export function createLogView(): LogView {
  const title = element('h3')
  const note = element('p', { class: 'note' })
  const text = element('pre', { class: 'log', attributes: { tabindex: '0', 'aria-label': 'Output of the job' } })
  const root = element('section', { class: 'output' }, [title, note, text])
  let shown: string | null = null

  return {
    root,
    update(tail, isBatch) {
      setShown(root, tail !== null)
      if (tail === null) {
        shown = null
        return
      }
      const unit = isBatch ? `unit ${tail.unit}, ` : ''
      setText(title, tail.attempt === 0 ? 'Output' : `Output (${unit}attempt ${tail.attempt})`)
      const said = noteText(tail)
      setShown(note, said !== '')
      setText(note, said)
      setShown(text, tail.text !== '')
      const follows = shown !== tail.jobId || text.scrollHeight - text.scrollTop - text.clientHeight < followMargin
      shown = tail.jobId
      if (text.textContent === tail.text) return
      text.textContent = tail.text
      if (follows) text.scrollTop = text.scrollHeight
    },
  }
}

function noteText({ attempt, isCut, problem, running, text }: LogTail): string {
  if (problem !== null) return problem
  if (text !== '') return isCut ? 'Only the end is shown; the tool job_logs reads the rest.' : ''
  if (attempt === 0) return 'Nothing has run yet.'
  return running ? 'It has printed nothing so far.' : 'It printed nothing.'
}
