import { type ListJobTypesAnswer, listJobTypesRequest } from '../domain/wire/jobs.ts'
import { defineTool, readOnly } from './define-tool.ts'
import { type Cut, fitAnswer } from './fit-answer.ts'

type Listed = ListJobTypesAnswer['types'][number]

function each(change: (type: Listed) => Listed): Cut<ListJobTypesAnswer> {
  return (answer) => ({ ...answer, types: answer.types.map(change) })
}

export const listJobTypes = defineTool({
  name: 'list_job_types',
  title: 'What can be submitted',
  description: `
Lists the job types that submit_job takes: the built-in ones and the person's own (handlers), each with an example.

Use it when you need a type other than "command". With type it answers one type with the JSON Schemas of its params, units and
result; read them before you submit it for the first time. Not for jobs: those are found by list_jobs.

Answers: types (type, title, description, executor, source, example, with type or detail "full" also params_schema, unit_schema,
result_schema, concurrency, gpu, pure, defaults), unavailable (type, file, problem: handlers that are broken), next.`,
  example: { type: 'command' },
  input: listJobTypesRequest,
  annotations: readOnly,
  request: (input) => input,
  fit: (answer) =>
    fitAnswer(
      answer,
      [
        each(({ result_schema: _, ...type }) => type),
        each(({ unit_schema: _, ...type }) => type),
        each(({ params_schema: _, ...type }) => type),
      ],
      'list_job_types',
    ),
})
