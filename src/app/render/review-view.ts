import type { JobView } from '../../domain/wire/shared.ts'
import { restText, testedText } from '../shown-text.ts'
import { element, setShown, setText } from './elements.ts'

const shownResults = 5
const longestResult = 400

/** What a person needs to decide about the rest of a job. */
export function createReviewView(): { readonly root: HTMLElement; update(review: JobView['review']): void } {
  const tested = element('p')
  const rest = element('p')
  const results = element('pre')
  const root = element('section', { class: 'review' }, [
    element('h3', { text: 'Waits for your approval' }),
    tested,
    rest,
    results,
  ])
  return {
    root,
    update(review) {
      setShown(root, review !== undefined)
      if (review === undefined) return
      setText(tested, testedText(review))
      setText(rest, restText(review))
      const lines = review.results.slice(0, shownResults).map(({ unit, state, result }) => {
        const text = JSON.stringify(result) ?? ''
        const shown = text.length <= longestResult ? text : `${text.slice(0, longestResult)} …`
        return `unit ${unit}, ${state}: ${shown}`
      })
      setShown(results, lines.length > 0)
      setText(results, lines.join('\n'))
    },
  }
}
