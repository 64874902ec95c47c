/**
 * Compares two versions of the form `1.2.3` or `1.2.3-pre.4` by semantic versioning's order of releases.
 * @returns negative when `left` is older, positive when newer, 0 when equal
 */
export function compareVersions(left: string, right: string): number {
  const [leftRelease = '', leftPre] = left.split('-', 2)
  const [rightRelease = '', rightPre] = right.split('-', 2)
  const leftNumbers = leftRelease.split('.').map(Number)
  const rightNumbers = rightRelease.split('.').map(Number)
  for (let index = 0; index < 3; index += 1) {
    const difference = (leftNumbers[index] ?? 0) - (rightNumbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (leftPre === rightPre) return 0
  // A pre-release comes before its release.
  if (leftPre === undefined) return 1
  if (rightPre === undefined) return -1
  return leftPre.localeCompare(rightPre, 'en', { numeric: true })
}
