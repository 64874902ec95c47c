/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): 128 random bits that depend on a counter of four words and a key of two, and
 * on nothing else. Words are 32 bits; how JavaScript sees their sign does not matter.
 * @param words gets the four random words
 */
export function philox(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  words: Int32Array,
): void {
  for (let round = 0; round < 10; round += 1) {
    // 0xd2511f53 * c0 and 0xcd9e8d57 * c2, 64 bits each, by halves of 16 bits.
    const a0 = c0 & 0xffff
    const a1 = c0 >>> 16
    const aLow = Math.imul(0x1f53, a0) >>> 0
    const aUpper = Math.imul(0xd251, a0) + (aLow >>> 16)
    const aMiddle = Math.imul(0x1f53, a1) + (aUpper & 0xffff)
    const aHigh = Math.imul(0xd251, a1) + (aUpper >>> 16) + (aMiddle >>> 16)
    const b0 = c2 & 0xffff
    const b1 = c2 >>> 16
    const bLow = Math.imul(0x8d57, b0) >>> 0
    const bUpper = Math.imul(0xcd9e, b0) + (bLow >>> 16)
    const bMiddle = Math.imul(0x8d57, b1) + (bUpper & 0xffff)
    const bHigh = Math.imul(0xcd9e, b1) + (bUpper >>> 16) + (bMiddle >>> 16)
    c0 = bHigh ^ c1 ^ k0
    c1 = (bMiddle << 16) | (bLow & 0xffff)
    c2 = aHigh ^ c3 ^ k1
    c3 = (aMiddle << 16) | (aLow & 0xffff)
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  words[0] = c0
  words[1] = c1
  words[2] = c2
  words[3] = c3
}
