import { z } from 'zod'
import type { ListJobTypesAnswer } from '../../domain/wire/jobs.ts'
import { allJobTypes } from './job-types.ts'

/** What can be submitted: every type with the JSON Schema of its parameters and an example. */
export function listJobTypes(): ListJobTypesAnswer {
  return {
    types: allJobTypes().map((type) => ({
      type: type.type,
      title: type.title,
      description: type.description,
      executor: type.executor,
      params_schema: z.toJSONSchema(type.paramsSchema, {
        io: 'input',
      }) as ListJobTypesAnswer['types'][number]['params_schema'],
      example: { type: type.type, params: { ...type.example } },
    })),
    next: 'submit_job with one of these types; the example shows the shape.',
  }
}
