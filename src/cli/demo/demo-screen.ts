import { basename } from 'node:path'
import type { WhatsNewAnswer } from '../../domain/wire/jobs.ts'
import type { JobView } from '../../domain/wire/shared.ts'
import { jobProgressLine } from '../display/progress-bar.ts'
import { createTerminal, type Terminal } from '../display/terminal.ts'

/** @returns how this program is called in a shell: by its name when it was, else by node and its file. */
export function programAsTyped(script: string | undefined): string {
  return script === undefined || basename(script) === 'nightkiln' ? 'nightkiln' : `node ${script}`
}

/** Tells the demo to a person; with `json` only the verdict is written. */
export class DemoScreen {
  readonly #terminal: Terminal
  readonly #json: boolean
  #lastPlain = ''

  constructor(json: boolean) {
    this.#json = json
    this.#terminal = createTerminal(process, process.env, json)
  }

  step(text: string): void {
    if (!this.#json) this.#terminal.line(`\n${this.#terminal.colors.bold(text)}`)
  }

  fact(text: string): void {
    if (!this.#json) this.#terminal.line(`  ${text}`)
  }

  /** Live bars on a terminal; elsewhere a line whenever the percentages changed by a tenth. */
  draw(jobs: readonly JobView[]): void {
    if (this.#json) return
    if (this.#terminal.live) {
      this.#terminal.draw(jobs.map((job) => jobProgressLine(job, this.#terminal)))
      return
    }
    const percent = (job: JobView) => (job.final ? 100 : Math.floor((job.progress?.percent ?? 0) / 20) * 20)
    const figure = (job: JobView) => (job.state === 'queued' ? '' : ` ${percent(job)} %`)
    const plain = jobs.map((job) => `${job.name} ${job.state}${figure(job)}`).join('   ')
    if (plain !== this.#lastPlain) this.#terminal.line(`  ${plain}`)
    this.#lastPlain = plain
  }

  drawEnd(): void {
    if (!this.#json) this.#terminal.liveEnd()
  }

  digest(answer: WhatsNewAnswer): void {
    if (this.#json) return
    const { counts } = answer
    this.#terminal.line(
      `  whats_new: ${counts.finished} finished, ${counts.failed} failed, ${counts.unfinished} still running`,
    )
    for (const line of [...answer.finished, ...answer.failed, ...answer.unfinished]) {
      this.#terminal.line(`    ${line.name}: ${line.why}`)
    }
  }

  result(job: JobView, starts: number): void {
    const tail =
      (job.result as { untrusted_output_tail?: string } | undefined)?.untrusted_output_tail
        ?.trim()
        .split('\n')
        .at(-1) ?? ''
    this.fact(`${job.name}: ${job.why}; attempts ${job.attempts}, started ${starts} × by its own ledger`)
    const message = tail.replace(/^::progress\s+\S+\s*/, '')
    if (message !== '') this.fact(`  last line: ${this.#terminal.harmless(message)}`)
  }

  /** @param folder everything the demo made, the state directory `home` included */
  verdict(broken: readonly string[], seconds: number, { home, folder }: { home: string; folder: string }): void {
    if (this.#json) {
      this.#terminal.value({
        kept: broken.length === 0,
        broken,
        seconds: Math.round(seconds * 10) / 10,
        state_directory: home,
      })
      return
    }
    const { colors } = this.#terminal
    for (const line of broken) this.#terminal.line(colors.red(`  broken: ${line}`))
    const text =
      broken.length === 0
        ? colors.green(
            `\nEvery promise was kept, in ${seconds.toFixed(1)} s: nothing lost, nothing run twice, no process left.`,
          )
        : colors.red(`\n${broken.length} promises were broken.`)
    this.#terminal.line(text)
    const windows = process.platform === 'win32'
    const set = windows ? `$env:NIGHTKILN_HOME='${home}'; ` : `NIGHTKILN_HOME=${home} `
    this.#terminal.line(`Look at it: ${set}${programAsTyped(process.argv[1])} list`)
    this.#terminal.line(`Remove it:  ${windows ? 'Remove-Item -Recurse' : 'rm -r'} ${folder}`)
  }
}
