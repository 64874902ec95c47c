import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { statePaths } from '../../src/config/paths.ts'
import { repositoryRoot } from '../support/repository.ts'
import { type TemporaryHome, useTemporaryHome } from '../support/temporary-home.ts'
import { errorOf, jsonOf, runCli } from './run-cli.ts'

const handlersOf = ({ home }: TemporaryHome) => statePaths(home).handlers

/** Runs a program in the handler directory, as a person would. */
function runThere(home: TemporaryHome, program: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: handlersOf(home),
    env: home.environment,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { status, output: `${stdout}${stderr}` }
}

function writeFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, text)
}

async function handlersCheck(home: TemporaryHome) {
  const { checks } = jsonOf(await runCli(home, ['doctor', '--json'])) as {
    checks: { id: string; status: string; detail: string; remedy: string | null }[]
  }
  return checks.find(({ id }) => id === 'handlers')
}

describe('new-handler', () => {
  it.each([
    ['ts', [], 'node --import tsx --test resize_images.test.ts'],
    ['js', ['--js'], 'node --test resize_images.test.js'],
  ])('writes a .%s handler that works, with a test that passes', async (ending, more, testCommand) => {
    const home = useTemporaryHome()
    const result = await runCli(home, ['new-handler', 'resize_images', ...more, '--json'])
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const names = [`resize_images.${ending}`, `resize_images.test.${ending}`, 'package.json', 'tsconfig.json']
    expect(jsonOf(result)).toEqual({
      type: 'resize_images',
      directory: handlersOf(home),
      files: names.map((name) => ({ path: join(handlersOf(home), name), made: true })),
      test_command: testCommand,
      problem: null,
    })
    expect(statSync(handlersOf(home)).mode & 0o777).toBe(0o700)
    const [program = '', ...args] = testCommand.split(' ')
    const run = runThere(home, program, args)
    expect(run.output).toContain('# pass 3')
    expect(run.status).toBe(0)

    const types = jsonOf(await runCli(home, ['types', 'resize_images', '--json']))
    expect(types).toMatchObject({
      types: [
        {
          title: 'Resize images',
          source: join(handlersOf(home), `resize_images.${ending}`),
          example: { type: 'resize_images', params: { file: '/home/you/book.txt' } },
          defaults: { max_attempts: 3, backoff: { initial_s: 1 } },
        },
      ],
      unavailable: [],
    })
  })

  it('writes what an editor understands, and what the declarations allow', async () => {
    const home = useTemporaryHome()
    await runCli(home, ['new-handler', 'one'])
    await runCli(home, ['new-handler', 'two', '--js'])
    const compiler = join(repositoryRoot, 'node_modules', 'typescript', 'bin', 'tsc')
    const compile = () =>
      runThere(home, process.execPath, [
        compiler,
        '-p',
        '.',
        '--typeRoots',
        join(repositoryRoot, 'node_modules/@types'),
      ])
    expect(compile()).toEqual({ status: 0, output: '' })
    const file = join(handlersOf(home), 'one.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('bytes: position }', 'bites: position }'))
    expect(compile().output).toMatch(/one\.ts.*(?:bites|not assignable)/)
  })

  it('changes nothing that is there', async () => {
    const home = useTemporaryHome()
    const own = join(handlersOf(home), 'package.json')
    writeFile(own, '{"type":"module","dependencies":{}}')
    writeFile(join(handlersOf(home), 'one.mjs'), 'export default 1')
    const refused = await runCli(home, ['new-handler', 'one', '--json'])
    expect(refused.code).toBe(2)
    expect(errorOf(refused).message).toBe(`${join(handlersOf(home), 'one.mjs')} is there already`)
    const kept = await runCli(home, ['new-handler', 'two'])
    expect(kept.stdout).toContain(`kept  ${own}`)
    expect(readFileSync(own, 'utf8')).toBe('{"type":"module","dependencies":{}}')
  })

  it.each([
    ['Bad Name', '"Bad Name" cannot be the name of a job type'],
    ['../escape', '"../escape" cannot be the name of a job type'],
    ['command', 'there is a job type "command" already'],
  ])('refuses the name %s', async (name, message) => {
    const home = useTemporaryHome()
    const refused = await runCli(home, ['new-handler', name, '--json'])
    expect(refused.code).toBe(2)
    expect(errorOf(refused).message).toBe(message)
    expect(statSync(handlersOf(home), { throwIfNoEntry: false })).toBeUndefined()
  })

  it('says what to do next, and where the directory may be another', async () => {
    const home = useTemporaryHome()
    const directory = join(home.home, 'my handlers')
    writeFile(statePaths(home.home).configFile, JSON.stringify({ handlers: directory }))
    const { stdout } = await runCli(home, ['new-handler', 'one'])
    expect(stdout).toContain(`made  ${join(directory, 'one.ts')}`)
    expect(stdout).toContain(`cd '${directory}' && node --import tsx --test one.test.ts`)
    expect(stdout).toContain('nightkiln submit --type one --param file=/path/of/a.txt --wait')
  })
})

describe('a handler of a person', () => {
  it('runs, is seen when it is dropped in, and its faults are told', async () => {
    const home = useTemporaryHome()
    await runCli(home, ['new-handler', 'count_words'])
    const book = join(home.home, 'book.txt')
    writeFileSync(book, 'one two three')
    const submitted = await runCli(home, [
      'submit',
      '--type',
      'count_words',
      '--param',
      `file=${book}`,
      '--wait',
      '--json',
    ])
    expect(submitted).toMatchObject({ code: 0 })
    const { id } = jsonOf(submitted) as { id: string }
    const result = jsonOf(await runCli(home, ['result', id, '--json']))
    expect(result).toMatchObject({ state: 'completed', result: { words: 3, bytes: 13 } })

    const broken = join(handlersOf(home), 'broken.js')
    writeFileSync(broken, "import 'not-installed-at-all'\n")
    const listed = await runCli(home, ['types'], { environment: { FORCE_COLOR: '1' } })
    expect(listed.stdout).toMatch(/\u001b\[31mbroken\u001b.*cannot be used.*broken\.js/)
    expect(listed.stdout).toContain(`cd ${handlersOf(home)} && npm install not-installed-at-all`)
    const refused = await runCli(home, ['submit', '--type', 'broken', '--json'])
    expect(errorOf(refused)).toMatchObject({ code: 'handler_unavailable', message: expect.stringContaining(broken) })

    const source = readFileSync(join(handlersOf(home), 'count_words.ts'), 'utf8')
    writeFileSync(broken, source.replace("type: 'count_words'", "type: 'mended'"))
    const mended = jsonOf(await runCli(home, ['types', '--json'])) as { types: { type: string }[] }
    expect(mended).toMatchObject({ unavailable: [] })
    expect(mended.types.map(({ type }) => type)).toContain('mended')
  })

  it('has its line in doctor', async () => {
    const home = useTemporaryHome()
    expect(await handlersCheck(home)).toMatchObject({ status: 'ok', detail: expect.stringContaining('none') })
    writeFile(join(handlersOf(home), 'one.js'), 'export default 1')
    chmodSync(handlersOf(home), 0o700)
    expect(await handlersCheck(home)).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining('1 file not looked at'),
      remedy: expect.stringContaining('nightkiln types'),
    })
    await runCli(home, ['new-handler', 'two'])
    expect(await handlersCheck(home)).toMatchObject({
      status: 'problem',
      detail: `${handlersOf(home)}: 1 available; 1 cannot be used: one.js: its default export is not made by defineHandler; write: export default defineHandler({ … })`,
    })
    writeFile(join(handlersOf(home), 'three.js'), 'throw new Error("no")')
    expect(await handlersCheck(home)).toMatchObject({
      detail: `${handlersOf(home)}: 1 available; 2 cannot be used: one.js, three.js`,
      remedy: expect.stringContaining('nightkiln types'),
    })
    chmodSync(handlersOf(home), 0o775)
    expect(await handlersCheck(home)).toMatchObject({ status: 'problem', remedy: `Run: chmod 700 ${handlersOf(home)}` })
  })
})
