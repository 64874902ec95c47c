import type { Session } from '../session.ts'
import type { ConfigurationTarget } from './client-files.ts'
import { snippet } from './configuration-file.ts'
import type { SetupOutcome } from './run-setup.ts'
import { type Entry, entryFor } from './server-entry.ts'
import { textDiff } from './text-diff.ts'

/** Prints entries to copy by hand. */
export function printEntries(session: Session, targets: readonly ConfigurationTarget[], entry: Entry): void {
  const { terminal } = session
  if (session.json) {
    terminal.value(
      targets.map((target) => ({
        client: target.client,
        file: target.file === '' ? null : target.file,
        key: target.key,
        entry: entryFor(target, entry),
      })),
    )
    return
  }
  for (const target of targets) {
    const where = target.file === '' ? '' : `: ${target.file}`
    terminal.line(`# ${target.title}${where}\n${snippet(target, entryFor(target, entry))}\n`)
  }
}

export function outcomeJson(outcome: SetupOutcome): object {
  const { change, ...rest } = outcome
  return { ...rest, diff: change === null ? [] : textDiff(change.before ?? '', change.after) }
}

export function tellOutcomes(session: Session, outcomes: readonly SetupOutcome[], dryRun: boolean): void {
  const { terminal } = session
  const { colors } = terminal
  for (const outcome of outcomes) {
    const would = dryRun && outcome.change !== null ? 'would be ' : ''
    terminal.line(`${colors.bold(outcome.title)}  ${would}${outcome.result}  ${colors.dim(outcome.file)}`)
    if (outcome.error !== null) {
      terminal.problem(`  ${colors.red('error:')} ${terminal.harmless(outcome.error.message)}`)
      terminal.problem(`  ${outcome.error.remedy}`)
    }
    if (outcome.change !== null) {
      for (const line of textDiff(outcome.change.before ?? '', outcome.change.after)) {
        const paint = line.startsWith('+') ? colors.green : line.startsWith('-') ? colors.red : colors.dim
        terminal.line(`  ${paint(terminal.harmless(line))}`)
      }
    }
    if (outcome.backup !== null) terminal.line(`  the old file is kept: ${outcome.backup}`)
  }
  if (!dryRun && outcomes.some((outcome) => outcome.change !== null))
    terminal.note('restart the client to see the change')
}

export function tellMissing({ terminal }: Session, missing: readonly ConfigurationTarget[]): void {
  for (const { title, client } of missing)
    terminal.note(`not found: ${title} (nightkiln setup ${client} writes it anyway)`)
}
