import { jobTransitions, unitTransitions } from '../../src/domain/transitions.ts'
import type { DisplayStateName } from '../../src/domain/wire/shared.ts'
import { displayStates } from '../../src/domain/wire/shared.ts'
import { madeFrom } from './made-from.ts'
import { cell } from './schema-table.ts'

/** What people are told, in words; a state that is missing here does not compile. */
const shown: Readonly<Record<DisplayStateName, readonly [when: string, example: string]>> = {
  completed: ['final: every unit completed', 'completed in 3 m 12 s'],
  completed_with_failures: [
    'final: completed, some units failed within the failure budget',
    'completed in 3 m; 2 of 100 units failed, as its failure budget allows',
  ],
  failed: ['final: more units failed than may', 'failed after 1 attempt: exit code 2'],
  cancelled: ['final: a cancel, a rejection, a deadline or a dependency ended it', 'cancelled after 2 m 3 s'],
  cancelling: [
    'a cancel was asked for, something still runs',
    'asked to stop 2 s ago; its processes get 3 s before they are killed',
  ],
  awaiting_approval: [
    'its test units ended; the rest is held for a person',
    'has waited 5 m for approval of the other 497 units: 2 of 3 test units completed',
  ],
  pausing: ['paused, running attempts may finish', 'paused 4 s ago; the running attempt is allowed to finish'],
  paused: ['paused or frozen, or its queue is paused', 'its queue "nightly" is paused'],
  blocked: ['waits for other jobs', 'waits for 2 of 3 jobs it depends on'],
  scheduled: ['its start time lies in the future', 'starts in 2 h, at 2030-01-01 14:00 UTC'],
  retrying: ['nothing runs, what is left backs off', 'retry 2 of 5 in 40 s after exit code 1'],
  rate_limited: ['its lane was told to slow down', 'told to slow down; goes on in 12 s'],
  running: ['stored state running', 'running for 10 s, attempt 2'],
  queued: ['everything else', 'waits for a free slot: 4 of 4 are busy'],
}

/** `displayState` takes the first that fits. */
const order: readonly DisplayStateName[] = [
  'completed',
  'completed_with_failures',
  'failed',
  'cancelled',
  'cancelling',
  'awaiting_approval',
  'pausing',
  'paused',
  'blocked',
  'scheduled',
  'retrying',
  'rate_limited',
  'running',
  'queued',
]

const words = (name: string | null) => (name === null ? '–' : name.replaceAll('_', ' '))

/** docs/states.md */
export function statesPage(): string {
  const missing = displayStates.filter((state) => !order.includes(state))
  if (missing.length > 0) throw new Error(`docs/states.md does not tell of ${missing.join(', ')}`)
  const jobs = jobTransitions.map(
    ({ from, to, by, guard }) => `| ${words(from)} | ${to} | ${words(by)} | ${cell(guard)} |`,
  )
  const units = unitTransitions.map(
    ({ from, to, by, guard, outcomes, counts }) =>
      `| ${words(from)} | ${to} | ${words(by)} | ${cell(guard)} | ${outcomes?.join(', ') ?? ''} | ${counts ? 'yes' : ''} |`,
  )
  const states = order.map((state) => `| ${state} | ${shown[state][0]} | ${shown[state][1]} |`)
  return `${madeFrom('src/domain/transitions.ts and src/domain/display-state.ts')}
# States

A **job** is what was submitted, a **unit** is the smallest piece that is run, retried and reported on its own (a plain job has
one), an **attempt** is one execution of one unit. Statements, triggers and \`test/unit/domain/transitions.test.ts\` hold these
tables. A final state is never left: a rerun is a new job.

\`\`\`
 job    queued ──first claim──► running ──no unit can move──► completed | failed | cancelled
           └────────────────────────cancel, nothing ran─────────────────────────▲

 unit   available ──claim──► running ──────► completed | failed | cancelled
            ▲   └──cancel──────────┼──────────────────────────────────▲
            └──retry, release, loss┘
\`\`\`

Pause, cancel, delay, backoff and approval are columns, not states: nothing has to be moved when a time comes. A unit that waits
for its retry is \`available\` with a start time in the future.

## Job

| from | to | who | when |
| --- | --- | --- | --- |
${jobs.join('\n')}

*Settle* happens in the transaction that moved the last unit. A job that is open (\`keep_open\`), or whose sources are still read,
does not settle; its final step is a unit of its own, which becomes available when all others have ended. A cancel that came too
late leaves the job completed.

## Unit and attempt

| from | to | who | guard | attempt ends as | counts |
| --- | --- | --- | --- | --- | --- |
${units.join('\n')}

The **fence** is attempt number, nonce and worker: whoever lost the unit gets no row and drops its output. *Counts* means against
\`max_attempts\`. A loss does not count there; the third one fails the unit as \`poison\`. A restart of the machine counts as neither,
nor does an attempt that was told to slow down. A cancel wins over a retry.

## What people are told

\`displayState\` in \`src/domain/display-state.ts\` makes one state and one sentence (\`why\`) out of the row and what else is known.
The first line that fits:

| state | when | for example |
| --- | --- | --- |
${states.join('\n')}

"Retry 2 of 5" is the second of five possible further attempts: \`max_attempts\` is 6.

What can be done: \`decide_job\` only while \`awaiting_approval\`; \`pause_job\`, \`resume_job\`, \`update_job\`, \`add_units\` and \`cancel_job\`
while the job is not final; \`rerun_job\` at any time; \`delete_jobs\` only when it is final.
`
}
