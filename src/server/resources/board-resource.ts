import { readFile } from 'node:fs/promises'
import { type Resource, ResourceNotFoundError } from '@modelcontextprotocol/server'
import { programFile } from '../../config/program-files.ts'
import type { ServedResources } from '../served.ts'

export const boardUri = 'ui://nightkiln/board'
/** What hosts know an App by. */
export const appMimeType = 'text/html;profile=mcp-app'

/** It reaches nothing outside, embeds nothing and asks the host for nothing. */
const ui = {
  csp: { connectDomains: [], resourceDomains: [], frameDomains: [], baseUriDomains: [] },
  prefersBorder: true,
} as const

const listed: Resource = {
  uri: boardUri,
  name: 'board',
  title: 'Job board',
  description:
    'A page for people that shows the jobs live. Clients that show Apps open it with list_jobs and queue_status.',
  mimeType: appMimeType,
  _meta: { ui },
}

/** The board that clients with MCP Apps show inside the chat: one page, read from the built program. */
export function boardResources(file: string = programFile('app', 'board.html')): ServedResources {
  return {
    list: async () => [listed],
    templates: [],
    async read(uri) {
      if (uri !== boardUri) return null
      let text: string
      try {
        text = await readFile(file, 'utf8')
      } catch {
        throw new ResourceNotFoundError(
          uri,
          `the page of the board is missing: ${file} cannot be read. Install Nightkiln again, or run "npm run build" in its source; list_jobs and job_status tell the same as text.`,
        )
      }
      return { contents: [{ uri, mimeType: appMimeType, text, _meta: { ui } }] }
    },
  }
}
