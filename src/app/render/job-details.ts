import type { JobView } from '../../domain/wire/shared.ts'
import type { BoardState } from '../board-state.ts'
import { groupOf, isFinal, stateLabel } from '../job-groups.ts'
import { percentOf, resultText } from '../shown-text.ts'
import { type ActionIntents, createActionBar } from './action-bar.ts'
import { button, byId, element, progressBar, setChildren, setClass, setShown, setText } from './elements.ts'
import { createJobFacts } from './job-facts.ts'
import { createLogView } from './log-view.ts'
import { createReviewView } from './review-view.ts'

export interface JobDetails {
  update(state: BoardState): void
  /** On a narrow page they stand in the place of the list. */
  focus(): void
}

export function createJobDetails(intents: ActionIntents & { onBack(): void }): JobDetails {
  const section = byId('details', HTMLElement)
  const back = button('← All jobs', () => intents.onBack(), 'back')
  const name = element('h2', { attributes: { tabindex: '-1' } })
  const stateText = element('span', { class: 'state' })
  const why = element('span', { class: 'why' })
  const bar = progressBar()
  const percentText = element('span', { class: 'percent' })
  const barLine = element('div', { class: 'bar-line' }, [bar.root, percentText])
  const error = createError()
  const result = createResult()
  const actions = createActionBar(intents)
  const review = createReviewView()
  const log = createLogView()
  const facts = createJobFacts()
  const rest = element('div', {}, [review.root, actions.root, error.root, result.root, log.root, facts.root])
  const content = element('div', { class: 'content' }, [
    back,
    name,
    element('p', { class: 'headline' }, [stateText, why]),
    barLine,
    rest,
  ])
  const nothing = element('p', { class: 'nothing', text: 'Choose a job to see its output and what can be done.' })

  return {
    update(state) {
      const { selected, seen } = state
      const view = selected === null ? undefined : seen.views.get(selected)
      const job = view ?? (selected === null ? undefined : seen.known.byId.get(selected))
      document.body.classList.toggle('chosen', selected !== null)
      setChildren(section, [job === undefined ? nothing : content])
      if (selected !== null && job === undefined)
        setText(nothing, state.isLoaded ? 'This job is not there.' : 'Loading …')
      else setText(nothing, 'Choose a job to see its output and what can be done.')
      if (job === undefined) return
      const percent = percentOf(job)
      setText(name, job.name)
      setText(stateText, stateLabel(job.state))
      setClass(stateText, `state ${groupOf(job.state)} ${job.state}`)
      setText(why, job.why)
      setShown(barLine, !isFinal(job.state) && (percent !== null || job.state === 'running'))
      bar.update(percent, 'Progress')
      setText(percentText, percent === null ? '' : `${percent} %`)
      setShown(rest, view !== undefined)
      if (view === undefined) return
      review.update(view.review)
      actions.update(state, view)
      error.update(view)
      result.update(view)
      log.update(seen.log, (view.counts?.total ?? 1) > 1)
      facts.update(view, state.locale)
    },
    focus: () => name.focus(),
  }
}

function createError(): { readonly root: HTMLElement; update(job: JobView): void } {
  const message = element('p')
  const remedy = element('p', { class: 'note' })
  const root = element('section', { class: 'error' }, [element('h3', { text: 'Error' }), message, remedy])
  return {
    root,
    update({ error }) {
      setShown(root, error !== null)
      setText(message, error === null ? '' : `${error.code}: ${error.message}`)
      setText(remedy, error?.remedy ?? '')
    },
  }
}

function createResult(): { readonly root: HTMLElement; update(job: JobView): void } {
  const text = element('pre', { attributes: { tabindex: '0', 'aria-label': 'Result of the job' } })
  const note = element('p', {
    class: 'note',
    text: 'Only the beginning is shown; the tool job_result reads the whole.',
  })
  const root = element('section', { class: 'result' }, [element('h3', { text: 'Result' }), text, note])
  return {
    root,
    update({ result }) {
      const isThere = result !== undefined && result !== null
      setShown(root, isThere)
      if (!isThere) return
      const shown = resultText(result)
      setText(text, shown.text)
      setShown(note, shown.isCut)
    },
  }
}
