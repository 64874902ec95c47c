// What `npm test` prints after the runs, so that the last lines of a long log say what failed. `.ci/run` repeats the
// lines between the two headings.
import { stripVTControlCharacters } from 'node:util'

const shownFailures = 20
const shownLines = 6
const shownFiles = 15

function shortened(message) {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.slice(0, shownLines).map((line) => `    ${line.slice(0, 300)}`)
}

/** @returns the lines that name the failed tests of all runs; none when nothing failed */
export function failureLines(failures) {
  if (failures.length === 0) return []
  const lines = failures
    .slice(0, shownFailures)
    .flatMap(({ file, name, messages }) => [`  ${file} > ${name}`, ...messages.flatMap(shortened)])
  const more = failures.length - shownFailures
  return ['Failed tests:', ...lines, ...(more > 0 ? [`  and ${more} more`] : [])]
}

export function slowestLines(files) {
  const slowest = files.toSorted((one, other) => other.ms - one.ms).slice(0, shownFiles)
  return ['Slowest files:', ...slowest.map(({ file, ms }) => `  ${(ms / 1_000).toFixed(1).padStart(6)} s  ${file}`)]
}
