import type { JobView } from '../../domain/wire/shared.ts'
import { durationText, etaRangeText, type Locale, timeText, unitsText } from '../shown-text.ts'
import { element, setChildren, setText } from './elements.ts'

/** @returns what is worth knowing of a job, label and text; '' is left out */
function factsOf(job: JobView, locale: Locale): readonly (readonly [string, string])[] {
  const labels = Object.entries(job.labels).map(([key, value]) => `${key}=${value}`)
  const dependencies = (job.depends_on ?? []).map(({ as, id, state }) => `${as} ${id} (${state ?? 'unfinished'})`)
  const progress = [job.progress?.stage, job.progress?.message].filter((text) => text != null && text !== '')
  const silent = job.no_output_s === null ? '' : `none for ${durationText(job.no_output_s)}`
  return [
    ['Progress', job.final ? '' : progress.join(': ')],
    ['Time left', job.final ? '' : etaRangeText(job.eta)],
    ['Units', unitsText(job)],
    ['Output', silent],
    ['Type', job.type],
    ['Queue', `${job.queue}, priority ${job.priority}`],
    ['Ran on', modeText(job)],
    ['Attempts', job.attempts === null || job.attempts < 2 ? '' : String(job.attempts)],
    ['Waits for', dependencies.join(', ')],
    ['Labels', labels.join(', ')],
    ['Submitted', `${timeText(job.created_at, locale)} by ${job.submitted_by}`],
    ['Starts', job.started_at === null ? timeText(job.run_at, locale) : ''],
    ['Started', timeText(job.started_at, locale)],
    ['Ended', timeText(job.finished_at, locale)],
    ['Duration', durationText(job.duration_s)],
    ['Re-run of', job.rerun_of ?? ''],
    ['Id', job.id],
  ].filter((fact): fact is [string, string] => fact[1] !== '')
}

function modeText(job: JobView): string {
  const devices = (job.gpu?.modes ?? []).map(({ mode, device, fallback_reason: reason }) =>
    [mode, device === null ? '' : `on ${device}`, reason === null ? '' : `because ${reason}`].filter(Boolean).join(' '),
  )
  return devices.length > 0 ? devices.join('; ') : (job.execution_mode ?? '')
}

/** A list of labels and texts; a line is kept as long as its label is there. */
export function createJobFacts(): { readonly root: HTMLElement; update(job: JobView, locale: Locale): void } {
  const root = element('dl', { class: 'job-facts' })
  const lines = new Map<string, { readonly line: HTMLElement; readonly value: HTMLElement }>()
  return {
    root,
    update(job, locale) {
      const facts = factsOf(job, locale)
      const shown = facts.map(([label, text]) => {
        let entry = lines.get(label)
        if (entry === undefined) {
          const value = element('dd')
          entry = { line: element('div', {}, [element('dt', { text: label }), value]), value }
          lines.set(label, entry)
        }
        setText(entry.value, text)
        return entry.line
      })
      setChildren(root, shown)
    },
  }
}
