import type { ManagerFile } from '../../../src/domain/wire/manager.ts'
import { isManagerAlive } from '../../support/manager-process.ts'
import { waitUntil } from '../../support/wait-until.ts'

/** Waits until that very manager has ended. */
export async function managerGone(file: ManagerFile, timeoutMs = 20_000): Promise<void> {
  await waitUntil(() => !isManagerAlive(file), { timeoutMs, what: `manager ${file.pid} to end` })
}
