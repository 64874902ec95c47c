import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

/**
 * Reads words until the manager's end of the pipe is closed: `watch` and `rest` say whether work would wait for its death,
 * `stop` that it ends on purpose. The pipe closes a moment before the process is gone, and a crowded machine may need longer:
 * the heal script, which does nothing while a manager lives, is called twice.
 */
const script = `trap '' HUP INT TERM
word=rest
while IFS= read -r line; do
  [ "$line" = stop ] && exit 0
  word=$line
done
[ "$word" = watch ] || exit 0
for pause in 0.1 2; do
  sleep "$pause"
  [ -e "$1" ] || exit 0
  "$0" "$1" </dev/null >/dev/null 2>&1
done`

export interface GuardianOptions {
  /** POSIX shell. */
  readonly shell: string
  readonly healScript: string
  /** Marks it as belonging to this state. */
  readonly home: string
  /** True while work would wait for a dead manager: something runs, waits for its turn or is scheduled. */
  readonly hasWork: () => boolean
}

/**
 * A small shell that notices the manager's death, whatever kills it, and calls the heal script (DESIGN §10.21): what runs in no
 * process of its own, or starts only in an hour, does not wait for the next client either. Started with the first work.
 */
export class Guardian {
  readonly #options: GuardianOptions
  #child: ChildProcess | null = null
  #isWatching = false

  constructor(options: GuardianOptions) {
    this.#options = options
  }

  /** After every commit: there may be work now. */
  work(): void {
    if (!this.#isWatching && this.#options.hasWork()) this.#tell('watch')
  }

  /** Now and then: there may be none any more. */
  rest(): void {
    if (this.#isWatching && !this.#options.hasWork()) this.#tell('rest')
  }

  /** The manager ends on purpose. */
  dismiss(): void {
    if (this.#child !== null) this.#tell('stop')
  }

  #tell(word: 'watch' | 'rest' | 'stop'): void {
    if (process.platform === 'win32') return
    this.#child ??= this.#start()
    this.#isWatching = word === 'watch'
    this.#child.stdin?.write(`${word}\n`)
  }

  #start(): ChildProcess {
    const { shell, healScript, home } = this.#options
    const child = spawn(shell, ['-c', script, shell, healScript], {
      cwd: '/',
      detached: true,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', NIGHTKILN_HOME: home, NIGHTKILN_PROCESS: 'launcher' },
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const over = () => {
      if (this.#child !== child) return
      this.#child = null
      this.#isWatching = false
    }
    child.once('error', over).once('exit', over)
    child.stdin.on('error', () => undefined)
    // Neither it nor its pipe keeps the manager alive.
    child.unref()
    if (child.stdin instanceof Socket) child.stdin.unref()
    return child
  }
}
