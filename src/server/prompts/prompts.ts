import type { LazyHost } from '../resources/ask-manager.ts'
import type { ServedPrompt } from '../served.ts'
import { planBatch } from './plan-batch.ts'
import { resumeMyWork } from './resume-my-work.ts'
import { triageFailures } from './triage-failures.ts'

/** What a person may choose to begin with. */
export function prompts(host: LazyHost): readonly ServedPrompt[] {
  return [resumeMyWork(host), triageFailures(host), planBatch(host)]
}
