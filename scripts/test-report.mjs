// A reporter of vitest: writes what scripts/run-tests.mjs tells at the end to the file of --outputFile, as JSON.
import { writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

class TestReport {
  onInit(vitest) {
    this.root = vitest.config.root
    this.target = vitest.config.outputFile
  }

  onTestRunEnd(modules, unhandledErrors) {
    const report = { passed: 0, failed: 0, other: 0, failures: [], files: [] }
    const fail = (file, name, errors) => {
      report.failed += 1
      report.failures.push({ file, name, messages: errors.map((error) => this.textOf(error)) })
    }
    for (const module of modules) {
      const file = module.relativeModuleId
      report.files.push({ file, ms: Math.round(module.diagnostic().duration) })
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result()
        if (state === 'passed') report.passed += 1
        else if (state === 'failed') fail(file, test.fullName, errors ?? [])
        else report.other += 1
      }
      // It could not be loaded, or a hook around its tests failed.
      if (module.errors().length > 0) fail(file, '(the file itself)', module.errors())
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) fail(file, `${suite.fullName} (its hooks)`, suite.errors())
      }
    }
    if (unhandledErrors.length > 0) fail('(no file)', '(an error outside of tests)', unhandledErrors)
    writeFileSync(this.target, JSON.stringify(report))
  }

  /** The first place in a file of ours, the message, and what differs. */
  textOf(error) {
    const place = (error.stack ?? '')
      .split('\n')
      .find((line) => /^ +at /.test(line) && line.includes(this.root) && !line.includes('node_modules'))
    const differences = stripVTControlCharacters(error.diff ?? '')
      .split('\n')
      .filter((line) => /^[-+] /.test(line) && !/^(- Expected|\+ Received)/.test(line))
    return [place?.trim() ?? '', error.message || String(error), ...differences].join('\n')
  }
}

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter by its default export
export default TestReport
