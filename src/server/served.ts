import type {
  CallToolResult,
  GetPromptResult,
  InputRequiredResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceTemplateType as ResourceTemplate,
  ServerContext,
  Tool,
} from '@modelcontextprotocol/server'
import type { ChangeFeed } from './subscriptions/change-feed.ts'
import type { TaskBackend } from './tasks/task-backend.ts'

/** What one connection is: the protocol era it speaks and whose it is. */
export interface Connection {
  readonly era: 'legacy' | 'modern'
  /** `local` on stdio; over HTTP who the bearer of the token is. Tasks are bound to it. */
  readonly principal: string
}

/** What a request tells of itself, in either era. */
export interface Caller extends Connection {
  /** Name and version of the client, for people. */
  readonly submittedBy: string
  /** This request takes a task as its answer. */
  readonly takesTasks: boolean
  /** The client says that it can show a form to its user. */
  readonly canAsk: boolean
}

export interface ServedTool {
  readonly name: string
  /** As clients see it in tools/list. */
  listed(): Tool
  /** An error is an answer, too; what is thrown becomes a protocol error. */
  serve(
    given: unknown,
    context: ServerContext,
    caller: Caller,
    /** When the call began, on the clock of `performance.now()`, where that was before: its deadline counts from there. */
    begun?: number,
  ): Promise<CallToolResult | InputRequiredResult>
}

/** One family of resources. */
export interface ServedResources {
  list(context: ServerContext, caller: Caller): Promise<readonly Resource[]>
  readonly templates: readonly ResourceTemplate[]
  /** @returns null when the URI is none of this family; @throws ResourceNotFoundError when it names nothing that is there */
  read(uri: string, context: ServerContext, caller: Caller): Promise<ReadResourceResult | InputRequiredResult | null>
  /** @returns what a variable of one of its templates may be; null when the template is none of this family */
  complete?(
    template: string,
    variable: string,
    begun: string,
    others: Readonly<Record<string, string>>,
    caller: Caller,
  ): Promise<readonly string[] | null>
}

export interface ServedPrompt {
  readonly listed: Prompt
  get(
    given: Readonly<Record<string, string>>,
    context: ServerContext,
    caller: Caller,
  ): Promise<GetPromptResult | InputRequiredResult>
  complete?(argument: string, begun: string, caller: Caller): Promise<readonly string[]>
}

/** Everything a server serves; made once, shared by all connections of a process. */
export interface ServedParts {
  readonly instructions: string
  /** Loaded at the first look, so that a server answers its first message at once. */
  tools(caller: Caller | null): Promise<readonly ServedTool[]>
  resources(): Promise<readonly ServedResources[]>
  prompts(): Promise<readonly ServedPrompt[]>
  tasks(): Promise<TaskBackend>
  /** What the queue tells of itself. */
  readonly changes: ChangeFeed
}
