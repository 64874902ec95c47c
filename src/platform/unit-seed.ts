import { createHash } from 'node:crypto'

/** @returns a 32-bit number that is the same in every attempt of a unit, wherever it runs */
export function seedOfUnit(unitId: string): number {
  return createHash('sha256').update(unitId).digest().readUInt32BE(0)
}
