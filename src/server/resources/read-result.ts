import type { ReadResourceResult, ServerContext } from '@modelcontextprotocol/server'
import { answerCharacters } from '../../config/answer-limit.ts'
import { cutText } from '../../domain/cut-text.ts'
import type { ResultAnswer } from '../../domain/wire/jobs.ts'
import { wholeResult } from '../../tools/rest-of-answer.ts'
import { askManager, type LazyHost } from './ask-manager.ts'
import { boundedJson } from './bounded-json.ts'
import { artifactUri, type JobUri } from './resource-uri.ts'
import { unchanging, untrusted } from './untrusted.ts'

const mostBytes = 1_000_000
const fewArtifacts = 20
const fewerArtifacts = 5

type LinkedArtifact = ResultAnswer['artifacts'][number] & { readonly uri: string }
type Shown = Omit<ResultAnswer, 'artifacts'> & { readonly artifacts: readonly LinkedArtifact[] }

/**
 * @returns the result of the job and the files it made, each with its own URI
 * @throws QueueError job_not_found, unit_not_found
 */
export async function readResult(
  host: LazyHost,
  uri: string,
  { id, unit }: JobUri,
  { mcpReq: { signal } }: ServerContext,
): Promise<ReadResourceResult> {
  const most = answerCharacters()
  // A result that is cut is text within JSON, where every character may need a backslash.
  const bytes = Math.min(Math.max(100, Math.floor(most * 0.4)), mostBytes)
  const one = unit === undefined ? {} : { unit }
  const answer = await askManager(host, 'job_result', { id, max_bytes: bytes, ...one }, signal)
  const rest = `It was cut: ${wholeResult(id)}`
  const next = answer.truncated ? `${answer.next} ${rest}` : answer.next
  const text = boundedJson(
    { ...answer, artifacts: linked(answer), next },
    [withArtifacts(fewArtifacts), withArtifacts(fewerArtifacts), (shown) => withShortResults(shown, bytes)],
    answer.truncated ? 'Not all files are shown.' : rest,
  )
  return {
    ...(answer.final ? unchanging : {}),
    contents: [{ uri, mimeType: 'application/json', text, _meta: untrusted }],
  }
}

/** Files of several units may have the same name: then the unit stands in the URI. */
function linked({ id, artifacts, more_artifacts: more }: ResultAnswer): LinkedArtifact[] {
  const isUnitNeeded = more || new Set(artifacts.map(({ unit }) => unit)).size > 1
  return artifacts.map((each) => ({ ...each, uri: artifactUri(id, each.name, isUnitNeeded ? each.unit : undefined) }))
}

function withArtifacts(most: number): (shown: Shown) => Shown {
  return (shown) => ({
    ...shown,
    artifacts: shown.artifacts.slice(0, most),
    more_artifacts: shown.more_artifacts || shown.artifacts.length > most,
  })
}

function withShortResults(shown: Shown, most: number): Shown {
  const short = (value: Shown['result']): Shown['result'] => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return text.length <= most / 2 ? value : cutText(text, Math.floor(most / 2))
  }
  const { final_result: final } = shown
  return {
    ...shown,
    result: short(shown.result),
    ...(final === undefined ? {} : { final_result: short(final) }),
    truncated: true,
  }
}
