import { defineHandler, z } from '../../handler/index.ts'

const progressMs = 1000

/** Waits, and goes on waiting where an earlier attempt stopped: for trying out queues. */
const sleep = defineHandler({
  type: 'sleep',
  title: 'Wait',
  description:
    'Waits so many seconds and then completes, or fails when told to. For trying out queues, limits, retries, cancels and restarts: it reports progress every second, and after an interruption it waits only for the rest.',
  params: z.strictObject({
    seconds: z.number().min(0).max(604_800).describe('How long to wait; awake time, in all attempts together'),
    fail_with: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .describe('Fail with this message after the wait; every attempt waits anew'),
    result: z.json().optional().describe('The result; default {"slept_s": …}'),
  }),
  result: z.json(),
  checkpoint: z.strictObject({ slept_s: z.number().min(0) }),
  example: { params: { seconds: 5 } },
  reusable: true,
  pure: true,
  async run({ params, lastCheckpoint, cancellation, progress, checkpoint }) {
    const totalMs = params.seconds * 1000
    const beforeMs = (lastCheckpoint?.slept_s ?? 0) * 1000
    const began = performance.now()
    const sleptMs = () => Math.min(totalMs, beforeMs + performance.now() - began)
    for (;;) {
      progress(Math.round(sleptMs() / 100) / 10, params.seconds, null, 'sleeping')
      if (sleptMs() >= totalMs) break
      try {
        await cancellation.wait(Math.min(progressMs, totalMs - sleptMs()))
      } finally {
        if (sleptMs() < totalMs) checkpoint({ slept_s: sleptMs() / 1000 })
      }
    }
    if (params.fail_with !== undefined) {
      checkpoint({ slept_s: 0 })
      throw new Error(params.fail_with)
    }
    return params.result ?? { slept_s: params.seconds }
  },
})

export default sleep
