import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../support/seeded-random.mjs'

const firms = ['Acme Mills', 'Blue Harbour', 'Cedar & Sons', 'Delta, Ltd', 'Elm Works', 'Fjord Lines', 'Granite Bros']
/** Contracts that the small model cannot read, and why. */
export const unreadable = new Map([
  ['contract-111.txt', 'images'],
  ['contract-222.txt', 'no date'],
  ['contract-333.txt', 'images'],
  ['contract-444.txt', 'no date'],
])

/** Contracts that take a second each: at this point the lid is closed. */
export const longOnes = [181, 182, 183, 184]

/** Writes so many contracts, and two drafts that nobody wants read. @returns the folder */
export function writeDocuments(folder, count) {
  mkdirSync(folder)
  const random = seededRandom(2030)
  const pick = (list) => list[Math.floor(random() * list.length)]
  for (let number = 1; number <= count; number += 1) {
    const name = `contract-${String(number).padStart(3, '0')}.txt`
    const day = String(1 + Math.floor(random() * 28)).padStart(2, '0')
    const flaw = unreadable.get(name)
    const lines = [
      flaw === 'no date' ? '' : `Date: 2029-${String(1 + (number % 12)).padStart(2, '0')}-${day}`,
      `Between: ${pick(firms)}`,
      `And: ${pick(firms)}`,
      ...(flaw === 'images' ? ['Pages: images'] : []),
      ...(longOnes.includes(number) ? ['Length: long'] : []),
      'The parties agree to what is written below.',
    ]
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  }
  for (const name of ['draft-1.txt', 'draft-2.txt']) writeFileSync(join(folder, name), 'Not to be read.\n')
  return folder
}
