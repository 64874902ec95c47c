import type { z } from 'zod'

type Definition = { readonly type: string } & Readonly<Record<string, unknown>>

function definitionOf(schema: unknown): Definition | null {
  const definition = (schema as { readonly def?: Definition } | undefined)?.def
  return definition === undefined ? null : definition
}

/** Looks through what only wraps a schema: optional, default, nullable, transformations. */
function unwrapped(schema: unknown): unknown {
  let inner = schema
  for (let definition = definitionOf(inner); definition !== null; definition = definitionOf(inner)) {
    const next = definition['innerType'] ?? (definition.type === 'pipe' ? definition['in'] : undefined)
    if (next === undefined) break
    inner = next
  }
  return inner
}

/** @returns the schema of what stands at a path, with what wraps it; undefined when none is known */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): unknown {
  let current: unknown = schema
  for (const step of path) {
    const definition = definitionOf(unwrapped(current))
    const shape = definition?.['shape'] as Readonly<Record<PropertyKey, unknown>> | undefined
    current = shape?.[step] ?? definition?.['element'] ?? definition?.['valueType']
  }
  return current
}

/** @returns how the schema itself describes what stands at a path; undefined when it says nothing */
export function schemaDescription(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  const found = schemaAt(schema, path)
  const [outer, inner] = [found, unwrapped(found)].map((each) => (each as z.ZodType | undefined)?.description)
  return outer ?? inner
}

/**
 * @param holder the object that stands there; of several shapes its kind tells which is meant
 * @returns the keys that an object at this path may have; empty where anything goes or nothing is known.
 */
export function schemaKeys(schema: z.ZodType, path: readonly PropertyKey[], holder?: unknown): readonly string[] {
  const found = unwrapped(schemaAt(schema, path))
  const shape = definitionOf(chosenShape(found, holder) ?? found)?.['shape']
  return typeof shape === 'object' && shape !== null ? Object.keys(shape) : []
}

/** @returns the one of several shapes whose discriminator the object has */
function chosenShape(schema: unknown, holder: unknown): unknown {
  const definition = definitionOf(schema)
  const { discriminator, options } = (definition ?? {}) as { discriminator?: string; options?: readonly unknown[] }
  if (discriminator === undefined || typeof holder !== 'object' || holder === null) return undefined
  const kind: unknown = Reflect.get(holder, discriminator)
  return options?.map(unwrapped).find((option) => {
    const shape = definitionOf(option)?.['shape'] as Readonly<Record<string, unknown>> | undefined
    const values = definitionOf(shape?.[discriminator])?.['values']
    return Array.isArray(values) && values.includes(kind)
  })
}

/** @returns what stands at a path of a value; undefined when nothing does. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
