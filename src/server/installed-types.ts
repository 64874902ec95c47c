import type { Tool } from '@modelcontextprotocol/server'
import { cutText } from '../domain/cut-text.ts'
import { harmlessText } from '../domain/display-text.ts'
import type { ToolHost } from '../tools/define-tool.ts'
import { isManagerRunning } from './resources/running-manager.ts'

/** A client waits for its list of tools before anything else, ms. */
const longestLookMs = 250
const longestLine = 1_000

/**
 * What can be submitted on this machine, for the description of submit_job: many clients show models nothing but tools.
 * @returns null when no manager runs, or none answers at once
 */
export async function installedTypes(host: () => Promise<ToolHost>): Promise<string | null> {
  if (!isManagerRunning()) return null
  try {
    const { types } = await (await host()).call('list_job_types', {}, AbortSignal.timeout(longestLookMs))
    const names = types.map(({ type, title }) => (title === '' ? type : `${type} (${title})`))
    return harmlessText(cutText(`Job types on this machine: ${names.join(', ')}.`, longestLine))
  } catch {
    return null
  }
}

/** @returns the tool with a line more in its description, before the example at its end. */
export function withTypes(tool: Tool, line: string): Tool {
  const [description = '', ...example] = (tool.description ?? '').split('\n\nExample: ')
  return { ...tool, description: [`${description}\n\n${line}`, ...example].join('\n\nExample: ') }
}
