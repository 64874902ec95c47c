import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  predictionErrorCodes,
  predictionProtocol,
  predictionStatuses,
  refusalCodes,
} from '../../../src/domain/wire/prediction.ts'
import { allChecks } from '../../../src/gpu-client/conformance/all-checks.ts'
import { runCli } from '../../cli/run-cli.ts'
import { repositoryRoot } from '../../support/repository.ts'
import { useTemporaryHome } from '../../support/temporary-home.ts'

const read = (name: string): string => readFileSync(join(repositoryRoot, 'docs', name), 'utf8')
const guide = read('gpu-worker.md')
/** Options of ssh, systemctl, docker, apt-get and npm. */
const ofOthers = ['--now', '--network', '--gpus', '--user', '--global', '--yes', '--no-install-recommends']

test('the guide names every state, error code, refusal and group of checks', () => {
  const groups = new Set(allChecks.map(({ name }) => `${name.split('/')[0]}/`))
  const words = [...predictionStatuses, ...predictionErrorCodes, ...refusalCodes, ...groups]
  expect(words.filter((word) => !guide.includes(`\`${word}\``))).toEqual([])
  expect(guide).toContain(`Version ${predictionProtocol}, the prediction API`)
})

test('the guide names only options that the commands have, and all of those of worker and gpu add', async () => {
  const home = useTemporaryHome()
  const commands = [
    ['worker'],
    ['worker', 'init'],
    ['worker', 'install-service'],
    ['worker', 'conformance'],
    ['gpu', 'add'],
    ['submit'],
  ]
  const helps = await Promise.all(commands.map((words) => runCli(home, [...words, '--help'])))
  const optionsIn = (text: string): readonly string[] => [...new Set(text.match(/(?<![\w-])--[a-z][a-z-]+/g))]
  const known = new Set(helps.flatMap((help) => optionsIn(help.stdout)))
  expect(optionsIn(guide).filter((option) => !known.has(option) && !ofOthers.includes(option))).toEqual([])
  const tables = new Set(optionsIn(guide))
  const own = [...optionsIn(helps[0]?.stdout ?? ''), ...optionsIn(helps[4]?.stdout ?? '')]
  expect(own.filter((option) => !tables.has(option) && !['--help', '--json'].includes(option))).toEqual([])
})

test('the API description has the routes of the guide and no loose reference', () => {
  const text = read('gpu-worker.openapi.json')
  const page = JSON.parse(text) as { info: { version: string }; paths: Record<string, object> }
  expect(page.info.version).toBe(String(predictionProtocol))
  for (const path of Object.keys(page.paths)) expect(guide).toContain(path)
  const references = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path]) => path ?? '')
  expect(references.length).toBeGreaterThan(10)
  const find = (path: string): unknown =>
    path.split('/').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], page)
  expect(references.filter((path) => find(path) === undefined)).toEqual([])
})
