import { defineHandler, z } from '../../handler/index.ts'
import { runProgram, templateParams } from './command-template/perform.ts'

/** Runs a program that the operator of a GPU worker declared. Not one of the built-in types: nobody can submit it. */
const commandTemplate = defineHandler({
  type: 'command_template',
  title: 'Declared program',
  description: 'Runs a program that the operator of a GPU worker declared for a job type.',
  params: templateParams,
  result: z.json(),
  run: (context) => runProgram(context),
})

export default commandTemplate
