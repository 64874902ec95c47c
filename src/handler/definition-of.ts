import { type HandlerDefinition, handlerMark } from './define-handler.ts'

/**
 * @param namespace of a loaded module
 * @returns the handler that it exports by default, null when it exports none. A TypeScript file whose package.json does not say
 *   "type": "module" has it one step deeper.
 */
export function definitionOf(namespace: unknown): HandlerDefinition | null {
  const first = defaultOf(namespace)
  if (isDefinition(first)) return first
  const second = defaultOf(first)
  return isDefinition(second) ? second : null
}

function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as { default?: unknown }).default : undefined
}

function isDefinition(value: unknown): value is HandlerDefinition {
  return typeof value === 'object' && value !== null && handlerMark in value
}
