import { type ProgressParser, reading } from './progress-parser.ts'

/** `Downloading:  45%|####    | 45/100 [00:01<00:02, 20it/s]`; counts may carry a unit (1.2k, 3.4M). */
const tqdm = /^(?:([^|]{1,200}?):\s*)?\s*(\d{1,3})%\s?\|[^|]{0,300}\|\s*([\d.]+)([kMGTP]?)i?B?\/([\d.]+)([kMGTP]?)/
const factors: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 }

export function createTqdmParser(): ProgressParser {
  return {
    name: 'tqdm',
    explicit: false,
    parse(line) {
      const match = tqdm.exec(line)
      if (match === null) return null
      const scaled = (number: string | undefined, unit: string | undefined) =>
        Number(number) * (factors[unit ?? ''] ?? 1)
      return reading(scaled(match[3], match[4]), scaled(match[5], match[6]), match[1])
    },
  }
}

/** pytest: `tests/test_a.py ......   [ 45%]`, `test_b PASSED  [100%]`. */
const pytest = /\[\s*(\d{1,3})%\]\s*$/

export function createPytestParser(): ProgressParser {
  return {
    name: 'pytest',
    explicit: false,
    parse(line) {
      const match = pytest.exec(line)
      return match === null || Number(match[1]) > 100 ? null : reading(Number(match[1]), 100)
    },
  }
}

/** CMake's Makefiles: `[ 30%] Building C object …`; at the start of the line and followed by a word. */
const cmake = /^\[\s{0,2}(\d{1,3})%\]\s+\S/

/** ninja: `[1/3] build`, `[ 1/3] …`, `[12/340] Building CXX object …`. */
const ninja = /^\[\s{0,6}(\d{1,7})\/(\d{1,7})\]\s+\S/

export function createBuildParser(): ProgressParser {
  return {
    name: 'build',
    explicit: false,
    parse(line) {
      const percent = cmake.exec(line)
      if (percent !== null) return Number(percent[1]) > 100 ? null : reading(Number(percent[1]), 100)
      const steps = ninja.exec(line)
      return steps === null || Number(steps[1]) > Number(steps[2]) ? null : reading(Number(steps[1]), Number(steps[2]))
    },
  }
}

/** `30% done`, `45.5 % complete`, `80%`: only at the start of the line and with nothing else of meaning behind it. */
const plainPercent = /^\s{0,8}(\d{1,3}(?:\.\d{1,3})?)\s?%(?:\s+(?:done|complete|completed|finished)\b.{0,200})?\s*$/i

export function createPercentParser(): ProgressParser {
  return {
    name: 'percent',
    explicit: false,
    parse(line) {
      const match = plainPercent.exec(line)
      return match === null || Number(match[1]) > 100 ? null : reading(Number(match[1]), 100)
    },
  }
}

/** rsync --info=progress2: `  1,238,099 100%  146.38kB/s    0:00:08  (xfr#5, to-chk=169/396)`. */
const rsync = /^\s*[\d,.]+[kMGT]?\s+(\d{1,3})%\s+[\d,.]+[kMGT]?B\/s\s+\d+:\d\d:\d\d/

export function createRsyncParser(): ProgressParser {
  return {
    name: 'rsync',
    explicit: false,
    parse(line) {
      const match = rsync.exec(line)
      return match === null || Number(match[1]) > 100 ? null : reading(Number(match[1]), 100)
    },
  }
}

/** curl's meter: `% Total  % Received % Xferd  Average Speed … Time Left  Speed`, twelve columns; or its `-#` bar. */
const curlMeter =
  /^\s*(\d{1,3})\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+[\d.]+[kMGTP]?\s+[\d.]+[kMGTP]?\s+\S+\s+\S+\s+\S+\s+[\d.]+[kMGTP]?\s*$/
const curlBar = /^#[#\s]{0,400}?(\d{1,3}(?:\.\d)?)%\s*$/

export function createCurlParser(): ProgressParser {
  return {
    name: 'curl',
    explicit: false,
    parse(line) {
      const match = curlMeter.exec(line) ?? curlBar.exec(line)
      return match === null || Number(match[1]) > 100 ? null : reading(Number(match[1]), 100)
    },
  }
}
