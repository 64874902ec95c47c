import type { Chance } from './chance.ts'

const newline = 0x0a
/** Bytes that are no UTF-8, a mark of byte order, ends of lines, control characters. */
const oddPieces: readonly Buffer[] = [
  Buffer.of(0xff, 0xfe),
  Buffer.of(0xc3, 0x28),
  Buffer.of(0xed, 0xa0, 0x80),
  Buffer.of(0xef, 0xbb, 0xbf),
  Buffer.of(0x00),
  Buffer.of(0x1b, 0x5b, 0x32, 0x4a),
  Buffer.of(0x0d),
  Buffer.of(0x0d, 0x0a),
  Buffer.of(newline),
  Buffer.from('\\u0000'),
  Buffer.from('\\ud800'),
  Buffer.from('1e400'),
  Buffer.from('"'),
  Buffer.from(','),
  Buffer.from('}{'),
  Buffer.from(']'),
  Buffer.from('//'),
]

type Mutation = (line: Buffer, chance: Chance) => Buffer

const insertAt = (line: Buffer, at: number, piece: Buffer) =>
  Buffer.concat([line.subarray(0, at), piece, line.subarray(at)])

const mutations: readonly Mutation[] = [
  (line, chance) => line.subarray(0, chance.below(line.length + 1)),
  (line, chance) => line.subarray(chance.below(line.length + 1)),
  (line) => Buffer.concat([line, line]),
  (line) => Buffer.concat([line, Buffer.of(newline), line]),
  (line, chance) => {
    const changed = Buffer.from(line)
    for (let times = 1 + chance.below(4); times > 0 && line.length > 0; times -= 1) {
      changed[chance.below(line.length)] = chance.below(256)
    }
    return changed
  },
  (line, chance) => {
    const changed = Buffer.from(line)
    const at = chance.below(Math.max(1, line.length))
    changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8))
    return changed
  },
  (line, chance) => insertAt(line, chance.below(line.length + 1), chance.pick(oddPieces)),
  (line, chance) => insertAt(line, 0, chance.pick(oddPieces)),
  (line, chance) => Buffer.concat([line, chance.pick(oddPieces)]),
  (line, chance) => {
    const [from, to] = [chance.below(line.length + 1), chance.below(line.length + 1)]
    return Buffer.concat([line.subarray(0, Math.min(from, to)), line.subarray(Math.max(from, to))])
  },
  (line) => Buffer.concat([Buffer.from('['), line, Buffer.from(']')]),
  (line) => Buffer.concat([Buffer.from('[['), line, Buffer.from(','), line, Buffer.from(']]')]),
  (line) => Buffer.concat([line, Buffer.of(0x0d)]),
  (line) => Buffer.from(line.toString('utf8'), 'utf16le'),
  (line) => Buffer.from(line.toString('utf8').replaceAll('"', "'")),
  (line) => Buffer.from(line.toString('utf8').replace(/\{/, '{"id":"first","id":1,')),
]

/** Changes the bytes of a line in one or two ways. */
export function mutateBytes(line: Buffer, chance: Chance): Buffer {
  const once = chance.pick(mutations)(line, chance)
  return chance.happens(0.3) ? chance.pick(mutations)(once, chance) : once
}
