export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
}

/** @returns text for a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')
}

/** @returns the type of a schema in words. */
export function typeText(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.oneOf !== undefined) {
    const kinds = schema.oneOf.map((one) => `\`${String(one.properties?.['kind']?.const)}\``)
    return `object with \`kind\` ${kinds.join(', ')} (see job-types.md)`
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'any' : typeText(schema.items)}`
  if (schema.type === 'object' && schema.properties === undefined && typeof schema.additionalProperties === 'object') {
    return `object of ${typeText(schema.additionalProperties)}`
  }
  const type = typeof schema.type === 'string' ? schema.type : (schema.type?.join(' or ') ?? 'any JSON')
  const bounded = type === 'integer' || type === 'number'
  const safe = (value: number | undefined) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER
  const low = bounded && safe(schema.minimum) ? `, from ${schema.minimum}` : ''
  const high = bounded && safe(schema.maximum) ? `, at most ${schema.maximum}` : ''
  return `${type}${low}${high}`
}

function propertyRows(schema: JsonSchema, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const required = schema.required?.includes(name) === true && property.default === undefined ? 'yes' : ''
    const fallback = property.default === undefined ? '' : ` Default \`${JSON.stringify(property.default)}\`.`
    const about = property.description ?? ''
    const text = `${about}${about === '' || fallback === '' || about.endsWith('.') ? '' : '.'}${fallback}`
      .trim()
      .replaceAll('*', '\\*')
    const row = `| \`${prefix}${name}\` | ${cell(typeText(property))} | ${required} | ${cell(text)} |`
    return [row, ...propertyRows(property, `${prefix}${name}.`)]
  })
}

/** @returns the properties of an object schema as a table, nested ones by their path. */
export function propertyTable(schema: JsonSchema): string {
  const rows = propertyRows(schema)
  return rows.length === 0
    ? 'None.\n'
    : `| name | type | required | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}
