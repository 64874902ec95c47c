/** The part of picomatch that is used; the package brings no types. */
declare module 'picomatch' {
  interface Options {
    /** Let wildcards match names that begin with a dot. */
    readonly dot?: boolean
    readonly noextglob?: boolean
  }
  interface Scan {
    /** Leading folders without wildcards. */
    readonly base: string
    readonly glob: string
    readonly negated: boolean
  }
  interface Picomatch {
    (patterns: string | readonly string[], options?: Options): (path: string) => boolean
    scan(pattern: string): Scan
  }
  const picomatch: Picomatch
  export = picomatch
}
