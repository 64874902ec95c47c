import type { Chance } from './chance.ts'
import { deepValues, oddIds, oddNumbers, oddStrings, oddTokens, oddValues } from './odd-values.ts'
import type { Frame } from './valid-frames.ts'

/** A place in a frame: what holds it, and under which key. */
interface Place {
  readonly holder: Record<string, unknown>
  readonly key: string
}

function placesIn(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found
  const holder = value as Record<string, unknown>
  for (const key of Object.keys(holder)) {
    found.push({ holder, key })
    placesIn(holder[key], found)
  }
  return found
}

function oddValue(chance: Chance): unknown {
  if (chance.happens(0.002)) return chance.pick(deepValues)
  // A copy: later mutations change it.
  return structuredClone(chance.pick([oddStrings, oddNumbers, oddValues][chance.below(3)] ?? oddValues))
}

type Mutation = (frame: Frame, chance: Chance) => void

function atSomePlace(change: (place: Place, chance: Chance) => void): Mutation {
  return (frame, chance) => {
    const places = placesIn(frame)
    if (places.length > 0) change(chance.pick(places), chance)
  }
}

function inParams(change: (params: Record<string, unknown>, chance: Chance) => void): Mutation {
  return (frame, chance) => {
    const { params } = frame
    if (typeof params === 'object' && params !== null) change(params as Record<string, unknown>, chance)
  }
}

function metaOf(params: Record<string, unknown>): Record<string, unknown> {
  const { _meta } = params
  if (typeof _meta === 'object' && _meta !== null) return _meta as Record<string, unknown>
  const meta: Record<string, unknown> = {}
  params['_meta'] = meta
  return meta
}

const mutations: readonly Mutation[] = [
  atSomePlace(({ holder, key }, chance) => {
    holder[key] = oddValue(chance)
  }),
  atSomePlace(({ holder, key }) => {
    delete holder[key]
  }),
  atSomePlace(({ holder, key }) => {
    holder[key] = [holder[key], holder[key]]
  }),
  atSomePlace(({ holder, key }, chance) => {
    const value = holder[key]
    holder[chance.pick(oddStrings)] = value
    delete holder[key]
  }),
  atSomePlace(({ holder }, chance) => {
    // A plain assignment to "__proto__" would set the prototype instead of a key.
    const key = chance.pick(['__proto__', 'constructor', 'prototype', 'unknown_key', ''])
    Object.defineProperty(holder, key, {
      value: oddValue(chance),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }),
  (frame, chance) => {
    const [one, other] = [chance.pick(placesIn(frame)), chance.pick(placesIn(frame))]
    // A value moved into itself would be a circle.
    const [left, right] = [structuredClone(one.holder[one.key]), structuredClone(other.holder[other.key])]
    one.holder[one.key] = right
    other.holder[other.key] = left
  },
  (frame, chance) => {
    frame['id'] = structuredClone(chance.pick(oddIds))
  },
  (frame, chance) => {
    // Often the id of a request that is still running.
    frame['id'] = `f${chance.below(2_000)}`
  },
  (frame, chance) => {
    frame['jsonrpc'] = chance.pick(['1.0', '2', 2, 2.0, null, '2.0\0', ['2.0']])
  },
  (frame, chance) => {
    frame['params'] = oddValue(chance)
  },
  (frame, chance) => {
    frame['method'] = chance.pick([
      'tools/call\0',
      'TOOLS/CALL',
      'rpc.discover',
      42,
      null,
      ['ping'],
      'x'.repeat(10_000),
    ])
  },
  inParams((params, chance) => {
    metaOf(params)['progressToken'] = structuredClone(chance.pick(oddTokens))
  }),
  inParams((params, chance) => {
    params['_meta'] = oddValue(chance)
  }),
  inParams((params, chance) => {
    metaOf(params)['io.modelcontextprotocol/protocolVersion'] = chance.pick(['2025-11-25', '2099-01-01', 7, null, ''])
  }),
  inParams((params, chance) => {
    metaOf(params)['io.modelcontextprotocol/clientCapabilities'] = oddValue(chance)
  }),
  inParams((params, chance) => {
    params['cursor'] = chance.pick(oddStrings)
  }),
]

/** Changes the meaning of a frame in one to three ways. The frame itself is changed. */
export function mutateStructure(frame: Frame, chance: Chance): void {
  for (let times = 1 + chance.below(3); times > 0; times -= 1) chance.pick(mutations)(frame, chance)
}
