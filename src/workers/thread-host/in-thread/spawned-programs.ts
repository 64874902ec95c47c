import type { HandlerContext, SpawnResult } from '../../../handler/context.ts'
import type { FromThread, ToThread } from '../thread-messages.ts'

type SpawnParameters = Parameters<HandlerContext['spawn']>
type OnOutput = NonNullable<NonNullable<SpawnParameters[2]>['onOutput']>
type ChildMessage = Extract<ToThread, { kind: 'child_output' | 'child_ended' | 'child_failed' }>

interface Child {
  readonly seq: number
  readonly onOutput: OnOutput | undefined
  readonly resolve: (result: SpawnResult) => void
  readonly reject: (error: unknown) => void
}

const defaultOutputBytes = 1024 * 1024

/** Programs that the attempts of a thread run: the main thread starts them, since children of a thread cannot be ended with it. */
export class SpawnedPrograms {
  readonly #post: (message: FromThread) => void
  readonly #children = new Map<number, Child>()
  #lastId = 0

  constructor(post: (message: FromThread) => void) {
    this.#post = post
  }

  /** @throws TypeError for arguments that cannot be; Error when the program cannot be started */
  start(seq: number, [program, args = [], options = {}]: SpawnParameters): Promise<SpawnResult> {
    const texts = [program, ...args]
    if (!texts.every((text) => typeof text === 'string' && !text.includes('\0')) || program === '')
      return Promise.reject(new TypeError('spawn takes the name of a program and texts without NUL as its arguments'))
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#post({
        kind: 'spawn',
        seq,
        id,
        program,
        args: [...args],
        cwd: options.cwd ?? null,
        env: { ...options.env },
        stdin: options.stdin ?? null,
        maxOutputBytes: options.maxOutputBytes ?? defaultOutputBytes,
        tellOutput: options.onOutput !== undefined,
      })
      this.#children.set(id, { seq, onOutput: options.onOutput, resolve, reject })
    })
  }

  take(message: ChildMessage): void {
    const child = this.#children.get(message.id)
    if (child === undefined) return
    if (message.kind === 'child_output') this.#tell(message.id, child, message)
    else this.#children.delete(message.id)
    if (message.kind === 'child_failed') child.reject(new Error(message.message))
    if (message.kind === 'child_ended') {
      const { exitCode, signal, stdout, stderr } = message
      child.resolve({ exitCode, signal, stdout, stderr })
    }
  }

  /** The attempt is to end: who waits for its programs waits no more. */
  abort(seq: number, reason: Error): void {
    for (const child of this.#forget(seq)) child.reject(reason)
  }

  /** The attempt has ended: nobody waits for its programs. */
  abandon(seq: number): void {
    this.#forget(seq)
  }

  #forget(seq: number): readonly Child[] {
    const ours = [...this.#children].filter(([, child]) => child.seq === seq)
    for (const [id] of ours) this.#children.delete(id)
    return ours.map(([, child]) => child)
  }

  #tell(id: number, child: Child, message: Extract<ChildMessage, { kind: 'child_output' }>): void {
    try {
      child.onOutput?.(message.text, message.stream)
    } catch (error) {
      this.#children.delete(id)
      this.#post({ kind: 'child_kill', id })
      child.reject(error)
    }
    this.#post({ kind: 'child_taken', id, length: message.text.length })
  }
}
