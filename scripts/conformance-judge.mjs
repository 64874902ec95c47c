// Judges what the conformance suite wrote: a scenario passes whole or is left out for one of four reasons.

/** The closed list: for nothing else a scenario, or a check of one, may be left out. */
const kinds = ['skills', 'sampling and roots', 'logging', 'skipped by the suite']

/** INFO says something about the run and asserts nothing. */
const bad = (check) => check.status !== 'SUCCESS' && check.status !== 'INFO'

/** Every message fits the schema of its revision: no reason excuses that. */
const neverExcused = 'wire-schema-valid'

const names = (line, { revision, scenario }) =>
  line.scenario === scenario && (line.revision === undefined || line.revision === revision)

/**
 * @param result revision, scenario and checks as the suite wrote them
 * @param leftOut lines of left-out.json: kind, scenario, reason; revision and check where the line is only about one
 * @returns passed | failed | left out, with what did not pass and the lines that were needed
 */
export function judge(result, leftOut) {
  const lines = leftOut.filter((line) => names(line, result))
  const whole = lines.find((line) => line.check === undefined)
  const notPassed = result.checks.filter(bad)
  const used = new Set()
  const remaining = notPassed.filter((check) => {
    const line = lines.find((candidate) => candidate.check === check.id) ?? whole
    // What the suite skips has not failed.
    if (
      line === undefined ||
      check.id === neverExcused ||
      (line.kind === 'skipped by the suite' && check.status !== 'SKIPPED')
    )
      return true
    used.add(line)
    return false
  })
  const succeeded = result.checks.filter((check) => check.status === 'SUCCESS').length
  const verdict = remaining.length > 0 ? 'failed' : whole !== undefined && used.has(whole) ? 'left out' : 'passed'
  return {
    ...result,
    used,
    succeeded,
    remaining,
    verdict: verdict === 'passed' && succeeded === 0 ? 'failed' : verdict,
    reason: whole?.reason,
  }
}

/** @returns what is wrong with the list itself: a line that nothing needs, or that has no right to be there. */
export function judgeLeftOut(leftOut, verdicts) {
  return leftOut.flatMap((line) => {
    const what = [line.revision, line.scenario, line.check].filter((part) => part !== undefined).join(' ')
    if (!kinds.includes(line.kind))
      return [`${what}: "${line.kind}" is no reason to leave anything out (${kinds.join(', ')})`]
    if (!line.reason) return [`${what}: no reason is given`]
    const about = verdicts.filter((verdict) => names(line, verdict))
    if (about.length === 0) return [`${what}: the suite has no such scenario any more`]
    return about.some(({ used }) => used.has(line)) ? [] : [`${what}: it passes, take it off the list`]
  })
}

/** @returns a line for each scenario, and below what did not pass of it. */
export function table(verdicts) {
  const width = Math.max(...verdicts.map(({ scenario }) => scenario.length))
  const lines = verdicts.flatMap(({ revision, scenario, checks, succeeded, verdict, remaining, reason }) => {
    const counted = checks.filter((check) => check.status !== 'INFO').length
    const shown = { passed: 'passed  ', failed: 'FAILED  ', 'left out': 'left out' }[verdict]
    const why = verdict === 'left out' ? `  ${reason}` : ''
    const head = `${shown}  ${revision.padEnd(10)}  ${scenario.padEnd(width)}  ${`${succeeded}/${counted}`.padStart(5)}${why}`
    const failures = remaining.map((check) => {
      const message = check.errorMessage ?? check.details?.message ?? check.description
      return `          ${check.status} ${check.id}: ${String(message).slice(0, 600)}`
    })
    if (verdict === 'failed' && failures.length === 0) failures.push('          no check of it passed')
    return [head, ...failures]
  })
  return `${lines.join('\n')}\n`
}
