import type { Check } from './check.ts'
import { cancelChecks } from './checks/cancel.ts'
import { checkpointChecks } from './checks/checkpoint.ts'
import { discoveryChecks } from './checks/discovery.ts'
import { fileChecks } from './checks/files.ts'
import { httpChecks } from './checks/http.ts'
import { keyChecks } from './checks/key.ts'
import { leaseChecks } from './checks/lease.ts'
import { runChecks } from './checks/run.ts'
import { slotChecks } from './checks/slots.ts'
import { submitChecks } from './checks/submit.ts'

export const allChecks: readonly Check[] = [
  ...discoveryChecks,
  ...keyChecks,
  ...httpChecks,
  ...submitChecks,
  ...runChecks,
  ...leaseChecks,
  ...cancelChecks,
  ...slotChecks,
  ...fileChecks,
  ...checkpointChecks,
]

/** What cannot be seen from outside in a minute, and is part of the protocol all the same. */
export const notChecked: readonly string[] = [
  'A restart keeps ended predictions and marks what ran WORKER_RESTARTED: kill the worker during a run, start it, GET the prediction.',
  'Results stay at least 24 h.',
  'A suspended machine: its leases end by a monotonic clock.',
]
