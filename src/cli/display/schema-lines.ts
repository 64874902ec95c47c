type Schema = Readonly<Record<string, unknown>>

/** @returns the names of what a JSON Schema holds, on one line; one that may be left out ends with "?" */
export function schemaKeysText(schema: Schema): string {
  const properties = propertiesOf(schema)
  const required = requiredOf(schema)
  if (properties.length === 0) return typeText(schema)
  return properties.map(([name]) => (required.includes(name) ? name : `${name}?`)).join(', ')
}

/** @returns a line for each field: its path, type, default and description. */
export function schemaLines(schema: Schema, path: string): readonly string[] {
  const properties = propertiesOf(schema)
  if (properties.length === 0) return [fieldLine(schema, path, true)]
  const required = requiredOf(schema)
  return properties.map(([name, property]) => fieldLine(property, `${path}.${name}`, required.includes(name)))
}

function fieldLine(schema: Schema, path: string, isRequired: boolean): string {
  const described = schema['description']
  const given = schema['default'] === undefined ? '' : `, default ${JSON.stringify(schema['default'])}`
  const about = typeof described === 'string' ? `: ${described}` : ''
  return `${path}  ${typeText(schema)}${isRequired ? '' : ', may be left out'}${given}${about}`
}

function typeText(schema: Schema): string {
  const values = schema['enum']
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ')
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(alternatives)) return alternatives.map((each) => typeText(each as Schema)).join(' | ')
  const { type, items } = schema
  if (type === 'array')
    return typeof items === 'object' && items !== null ? `list of ${typeText(items as Schema)}` : 'list'
  if (typeof type === 'string') return type === 'object' ? objectText(schema) : type
  return Array.isArray(type) ? type.join(' | ') : 'any JSON'
}

function objectText(schema: Schema): string {
  const properties = propertiesOf(schema)
  return properties.length === 0 ? 'object' : `{${properties.map(([name]) => name).join(', ')}}`
}

function propertiesOf(schema: Schema): readonly (readonly [string, Schema])[] {
  const properties = schema['properties']
  return typeof properties === 'object' && properties !== null
    ? Object.entries(properties as Record<string, Schema>)
    : []
}

function requiredOf(schema: Schema): readonly unknown[] {
  const required = schema['required']
  return Array.isArray(required) ? required : []
}
