/** @returns the first line of a page that is made from the code. */
export function madeFrom(source: string): string {
  return `<!-- Made by \`npm run docs\` from ${source}. Do not edit by hand. -->\n`
}
