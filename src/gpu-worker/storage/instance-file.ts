import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../../platform/atomic-file.ts'

const instance = z.object({ instance_id: z.string().min(1).max(100), epoch: z.int().min(0) })

export interface WorkerInstance {
  /** Of this state directory, part of the marks of all its processes. */
  readonly instanceId: string
  /** Higher with every start. */
  readonly epoch: number
}

/** @returns who this start is; durable. What cannot be read begins anew. */
export function nextInstance(file: string): WorkerInstance {
  const known = readInstance(file)
  const next = { instance_id: known?.instance_id ?? randomUUID(), epoch: (known?.epoch ?? 0) + 1 }
  writeFileAtomic(file, JSON.stringify(next))
  return { instanceId: next.instance_id, epoch: next.epoch }
}

function readInstance(file: string): z.infer<typeof instance> | null {
  try {
    return instance.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
