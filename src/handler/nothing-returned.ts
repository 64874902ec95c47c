import type { z } from 'zod'

/** @returns the sentence for a handler whose run returned undefined where its schema, such as that of an object, wants a value */
export function nothingReturned(schema: z.ZodType): string {
  const { type } = schema.def
  const wanted = wantedTypes[type]
  return `run returned nothing (undefined)${wanted === undefined ? '' : `; its result schema wants ${wanted}`}`
}

const wantedTypes: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
}
