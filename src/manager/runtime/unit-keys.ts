import { createHash } from 'node:crypto'
import { QueueError } from '../../domain/errors.ts'
import type { Json } from '../../domain/job.ts'
import type { NewUnit } from '../../domain/ports/source-store.ts'
import { compileTemplate, placeholdersOf, renderTemplate, type Template } from '../../domain/template.ts'

/** A longer key is cut and told apart by its hash: list_units takes keys of this length. */
const longestKey = 500
const hashLength = 44

/** The two templates by which units are told apart and share limits. */
export interface KeyTemplates {
  readonly unitKey: string | null
  readonly limitKey: string | null
  /** True: a unit that lacks a field of it has none. */
  readonly limitKeyIsDefault?: boolean
}

/** Makes units of values, with their keys. */
export class UnitKeys {
  readonly #unitKey: Template | null
  readonly #limitKey: Template | null
  readonly #limitKeyIsDefault: boolean
  readonly #createId: () => string

  /** @throws QueueError invalid_input for a template that does not parse or makes no difference between units */
  constructor(templates: KeyTemplates, createId: () => string) {
    this.#unitKey = templates.unitKey === null ? null : compileKey(templates.unitKey, 'unit_key')
    this.#limitKey = templates.limitKey === null ? null : compileKey(templates.limitKey, 'per_key.key')
    this.#limitKeyIsDefault = templates.limitKeyIsDefault ?? false
    this.#createId = createId
    if (this.#unitKey !== null && placeholdersOf(this.#unitKey).length === 0) {
      throw new QueueError('invalid_input', `unit_key "${templates.unitKey}" is the same for every unit`, {
        remedy: 'Use a placeholder such as {{unit.url}}.',
      })
    }
  }

  /** @throws QueueError invalid_input when the value lacks a field of a template */
  unitOf(value: Json): NewUnit {
    return {
      id: this.#createId(),
      input: value,
      key: keyText(this.#unitKey, value),
      // The lane without a name is the queue itself.
      limitKey: this.#limitKeyOf(value) || null,
    }
  }

  #limitKeyOf(value: Json): string | null {
    try {
      return keyText(this.#limitKey, value)
    } catch (error) {
      if (this.#limitKeyIsDefault) return null
      throw error
    }
  }

  /** As `unitOf`, but what fails gives no key. */
  unitOfAny(value: Json, onProblem: (error: unknown) => void): NewUnit {
    const attempt = (template: Template | null) => {
      try {
        return keyText(template, value)
      } catch (error) {
        onProblem(error)
        return null
      }
    }
    return {
      id: this.#createId(),
      input: value,
      key: attempt(this.#unitKey),
      limitKey: attempt(this.#limitKey) || null,
    }
  }
}

function compileKey(text: string, name: string): Template {
  return compileTemplate(text, { name, roots: ['unit'], aliases: [] })
}

function keyText(template: Template | null, unit: Json): string | null {
  if (template === null) return null
  const rendered = renderTemplate(template, { unit, index: 0, job: { id: '' }, attempt: 0, dependencies: new Map() })
  // Half a character would not come out of the database as it went in, and its lane would never be found again.
  const key = rendered.replace(/\p{Surrogate}/gu, '\ufffd')
  if (key.length <= longestKey) return key
  const hash = createHash('sha256').update(key).digest('base64url')
  return `${key.slice(0, longestKey - hashLength).replace(/[\ud800-\udbff]$/, '')}#${hash}`
}
