import type { JobLine, JobView } from '../../domain/wire/shared.ts'
import { type BoardState, emptyText } from '../board-state.ts'
import { groupOf, isFinal, stateLabel } from '../job-groups.ts'
import { hasOlder, shownJobs } from '../known-jobs.ts'
import { durationText, etaText, percentOf, unitsText } from '../shown-text.ts'
import { byId, element, progressBar, setAttribute, setChildren, setClass, setShown, setText } from './elements.ts'

interface Row {
  readonly root: HTMLLIElement
  readonly target: HTMLButtonElement
  update(job: JobLine, view: JobView | undefined, isSelected: boolean): void
}

export interface JobList {
  update(state: BoardState): void
  /** @returns id of the job whose row has the focus */
  focused(): string | null
  focus(jobId: string): void
}

function createRow(jobId: string, onSelect: (jobId: string) => void): Row {
  const state = element('span', { class: 'state' })
  const name = element('span', { class: 'name' })
  const facts = element('span', { class: 'facts' })
  const why = element('span', { class: 'why' })
  const bar = progressBar()
  const target = element('button', { class: 'row', attributes: { type: 'button' }, onClick: () => onSelect(jobId) }, [
    name,
    state,
    why,
    facts,
    bar.root,
  ])
  // The percent stands in the text of the row; inside a button a second role would not be heard.
  bar.root.setAttribute('aria-hidden', 'true')
  return {
    root: element('li', {}, [target]),
    target,
    update(job, view, isSelected) {
      const percent = percentOf(job)
      setText(name, job.name)
      setText(state, stateLabel(job.state))
      setClass(state, `state ${groupOf(job.state)} ${job.state}`)
      setText(why, job.why)
      setText(facts, factsOf(job, view, percent))
      setShown(bar.root, !isFinal(job.state) && (percent !== null || job.state === 'running'))
      bar.update(percent, job.name)
      setAttribute(target, 'aria-current', isSelected ? 'true' : null)
    },
  }
}

function factsOf(job: JobLine, view: JobView | undefined, percent: number | null): string {
  const goesOn = !isFinal(job.state)
  const duration = durationText(job.duration_s)
  return [
    goesOn && percent !== null ? `${percent} %` : '',
    goesOn ? etaText(view?.eta) : '',
    unitsText(view ?? job),
    job.why.includes(duration) ? '' : duration,
  ]
    .filter((fact) => fact !== '')
    .join(' · ')
}

/** The rows, newest first. A row is made once and stays, so that focus and reading position survive each look. */
export function createJobList(intents: { onSelect(jobId: string): void; onOlder(): void }): JobList {
  const list = byId('list', HTMLUListElement)
  const empty = byId('empty', HTMLParagraphElement)
  const older = byId('older', HTMLButtonElement)
  let rows = new Map<string, Row>()
  older.addEventListener('click', () => intents.onOlder())

  return {
    update(state) {
      const jobs = shownJobs(state.seen.known, state.filter)
      const next = new Map<string, Row>()
      for (const job of jobs) {
        const row = rows.get(job.id) ?? createRow(job.id, intents.onSelect)
        row.update(job, state.seen.views.get(job.id), job.id === state.selected)
        next.set(job.id, row)
      }
      rows = next
      setChildren(
        list,
        [...rows.values()].map(({ root }) => root),
      )
      setShown(empty, jobs.length === 0)
      setText(empty, emptyText(state))
      setShown(older, state.isLoaded && hasOlder(state.seen.known, state.filter))
      older.disabled = state.isReadingOlder
      setText(older, state.isReadingOlder ? 'Reading …' : 'Show older jobs')
    },
    focused() {
      const active = document.activeElement
      for (const [id, { target }] of rows) if (target === active) return id
      return null
    },
    focus(jobId) {
      const target = rows.get(jobId)?.target
      target?.focus()
      target?.scrollIntoView({ block: 'nearest' })
    },
  }
}
