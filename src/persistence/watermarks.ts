import type { Statement } from 'better-sqlite3'
import type { Watermark } from '../domain/ports/event-store.ts'
import type { Binds, Prepare } from './statement-loader.ts'

/** How far each reader of news has seen and acknowledged. */
export class Watermarks {
  readonly #read: Statement<[Binds], Watermark>
  readonly #recordShown: Statement<[Binds]>
  readonly #acknowledge: Statement<[Binds]>

  constructor(prepare: Prepare) {
    this.#read = prepare<Watermark>('read_watermark')
    this.#recordShown = prepare('record_shown')
    this.#acknowledge = prepare('acknowledge')
  }

  read(reader: string): Watermark {
    return this.#read.get({ reader }) ?? { acknowledged: 0, shown: 0 }
  }

  recordShown(reader: string, eventId: number): void {
    this.#recordShown.run({ reader, event_id: eventId })
  }

  acknowledge(reader: string, eventId: number): Watermark {
    this.#acknowledge.run({ reader, event_id: eventId })
    return this.read(reader)
  }
}
