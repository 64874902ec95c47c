import type { HandlerDefinition } from '../../../handler/define-handler.ts'
import { definitionOf } from '../../../handler/definition-of.ts'
import { loadProblem } from '../../handler-files/load-problem.ts'
import { loadModule } from '../load-module.ts'
import type { ThreadCode } from '../thread-messages.ts'

/** The handler of a thread, or why it cannot be used. */
export type LoadedHandler =
  | { readonly definition: HandlerDefinition; readonly problem: null }
  | { readonly definition: null; readonly problem: string }

/** Never throws. */
export async function loadHandler(code: ThreadCode): Promise<LoadedHandler> {
  const { file, type } = code
  try {
    const definition = definitionOf(await loadModule(file))
    if (definition === null)
      return broken(`${file} exports no handler: its default export is not made by defineHandler`)
    if (definition.type !== type) return broken(`${file} declares the job type "${definition.type}", and not "${type}"`)
    return { definition, problem: null }
  } catch (error) {
    return broken(`${file}: ${loadProblem(error, file)}`)
  }
}

function broken(problem: string): LoadedHandler {
  return { definition: null, problem }
}
