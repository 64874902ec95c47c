import { listJobTypesRequest } from '../domain/wire/jobs.ts'
import { defineTool, readOnly } from './define-tool.ts'

export const listJobTypes = defineTool({
  name: 'list_job_types',
  title: 'What can be submitted',
  description: `
Lists the job types that submit_job takes, each with a description, the JSON Schema of its params and an example.

Use it when you need a type other than "command" or its exact parameters. Not for jobs: those are found by list_jobs.

Answers: types (type, title, description, executor, params_schema, example), next.`,
  example: {},
  input: listJobTypesRequest,
  annotations: readOnly,
  request: (input) => input,
})
