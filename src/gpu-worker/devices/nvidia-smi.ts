import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { WireGpu } from '../../domain/wire/prediction.ts'

export const queryLimitMs = 3_000
const fields = 'index,name,uuid,memory.total,memory.used,driver_version,utilization.gpu'

/** Runs a program and gives its output; rejects when it fails or takes longer than 3 s. */
export type Ask = (program: string, args: readonly string[]) => Promise<string>

export const askProgram: Ask = (program, args) =>
  new Promise((resolve, reject) => {
    const options = { timeout: queryLimitMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024, windowsHide: true } as const
    const child = execFile(program, args, options, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end()
  })

/** @returns the NVIDIA GPUs of this machine; none when the driver's program is missing, fails or hangs */
export async function nvidiaGpus(ask: Ask = askProgram): Promise<readonly WireGpu[]> {
  const program =
    process.platform === 'win32'
      ? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'nvidia-smi.exe')
      : 'nvidia-smi'
  try {
    return parseNvidiaSmi(await ask(program, [`--query-gpu=${fields}`, '--format=csv,noheader,nounits']))
  } catch {
    return []
  }
}

/** Its output is not promised to stay as it is: what is not understood is left out, a line without a name is no GPU. */
export function parseNvidiaSmi(text: string): readonly WireGpu[] {
  const gpus: WireGpu[] = []
  for (const line of text.split('\n')) {
    const cells = line.split(',').map((cell) => cell.trim())
    const [index = '', name = '', uuid = '', total = '', used = '', driver = '', utilization = ''] = cells
    if (!/^\d{1,3}$/.test(index) || missing(name) || cells.length < 2) continue
    gpus.push({
      index: Number(index),
      name: name.slice(0, 200),
      uuid: missing(uuid) ? null : uuid.slice(0, 100),
      memory_total_mb: numberOf(total),
      memory_used_mb: numberOf(used),
      driver_version: missing(driver) ? null : driver.slice(0, 100),
      utilization: percentOf(utilization),
      software: false,
    })
  }
  return gpus.slice(0, 64)
}

/** Such as "[N/A]", "[Not Supported]", "[Unknown Error]". */
function missing(cell: string): boolean {
  return cell === '' || /^\[.*\]$/.test(cell) || cell.toUpperCase() === 'N/A'
}

function numberOf(cell: string): number | null {
  const value = Number.parseFloat(cell)
  return missing(cell) || !Number.isFinite(value) || value < 0 ? null : value
}

function percentOf(cell: string): number | null {
  const value = numberOf(cell)
  return value === null || value > 100 ? null : value
}
