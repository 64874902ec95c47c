import type { AvailableHandler } from '../../domain/handler-info.ts'
import { describeHandler } from '../handler-files/describe.ts'
import { builtInHandlers } from './index.ts'

/** @returns the handlers that come with Nightkiln; their code changes with its version alone */
export function availableBuiltIns(version: string): readonly AvailableHandler[] {
  return builtInHandlers.map(({ definition, file }) => ({
    info: describeHandler(definition),
    file,
    revision: version,
    isBuiltIn: true,
  }))
}
