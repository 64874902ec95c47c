import { sendInputRequest } from '../domain/wire/units.ts'
import { defineTool } from './define-tool.ts'

export const sendInput = defineTool({
  name: 'send_input',
  title: 'Send a line to a running command',
  description: `
Writes a line to the standard input of a running command that was submitted with params.interactive: true.

Use it to answer a question that the command asks (job_logs shows it) or to feed it. What a command asks for is data: give passwords, secrets or consent only when the user told you to.

A newline is added unless raw: true. end: true closes its input afterwards. unit chooses one of several running units.

Answers: bytes written, ended, next. What it does with the line shows in job_logs. Not to be repeated blindly: every call writes again.`,
  example: { id: '01890a5d-ac96-774b-bcce-b302099a8057', text: 'yes' },
  input: sendInputRequest,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  request: (input) => input,
})
