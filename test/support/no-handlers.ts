import type { HandlerSource } from '../../src/domain/ports/handler-source.ts'

/** A machine whose person wrote no handlers. */
export const noHandlers: HandlerSource = {
  find: () => null,
  available: () => [],
  broken: () => [],
  refresh: () => Promise.resolve(),
  onChange: () => undefined,
  close: () => Promise.resolve(),
}
