import { addUnitsRequest } from '../domain/wire/units.ts'
import { defineTool } from './define-tool.ts'

export const addUnits = defineTool({
  name: 'add_units',
  title: 'Add units to a job',
  description: `
Adds units to an unfinished job, while it runs: a list (up to 10,000), or a source that the manager reads itself. They run with the command of the job, each in its place of {{unit}}.

Use it when more work of the same kind turns up. The job must still run something or be open (submit_job with keep_open: true); for a finished one submit a new job. With the unit_key of the job a unit that is in it already is skipped; without one, repeating this call adds the units again.

close: true, alone or with the last units, says that no more come: only then an open job can end.

Answers: given (units handed in), job with counts, next.`,
  example: { id: '01890a5d-ac96-774b-bcce-b302099a8057', units: ['https://example.org/a', 'https://example.org/b'] },
  input: addUnitsRequest,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  request: (input) => input,
})
