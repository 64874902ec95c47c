/** @returns the rows of a CSV text as objects by column name; fields may be quoted, with quotes doubled. */
export function readCsv(text) {
  const rows = []
  let row = []
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy
  for (;;) {
    const match = pattern.exec(text)
    if (match === null) break
    row.push(match[1]?.replaceAll('""', '"') ?? match[2])
    if (match[3] === ',') continue
    rows.push(row)
    row = []
    if (pattern.lastIndex >= text.length) break
  }
  const [names = [], ...values] = rows
  return values.map((fields) => Object.fromEntries(names.map((name, column) => [name, fields[column]])))
}
