/** Wanted time until the next look, ms. */
export type TickPace = 'slow' | 'fast'

export interface Tickable {
  /** What it throws is reported once in a row, and the others go on. @returns how soon it wants to be looked at again */
  tick(): TickPace
  /** The ticker stops for good. */
  close(): void
}

export interface Ticker {
  /** @returns takes it out again */
  add(member: Tickable): () => void
  stop(): void
}

const paceMs: Readonly<Record<TickPace, number>> = { slow: 150, fast: 25 }

/** One timer for everything that runs; none when nothing runs. */
export function createTicker(report: (error: unknown) => void = () => undefined): Ticker {
  const members = new Set<Tickable>()
  const failing = new WeakSet<Tickable>()
  let timer: NodeJS.Timeout | null = null

  const round = (): void => {
    timer = null
    let pace: TickPace = 'slow'
    for (const member of [...members]) {
      try {
        if (member.tick() === 'fast') pace = 'fast'
        failing.delete(member)
      } catch (error) {
        if (!failing.has(member)) report(error)
        failing.add(member)
      }
    }
    schedule(pace)
  }
  const schedule = (pace: TickPace): void => {
    if (timer !== null) clearTimeout(timer)
    timer = members.size === 0 ? null : setTimeout(round, paceMs[pace])
  }

  return {
    add(member) {
      members.add(member)
      if (timer === null) schedule('fast')
      return () => {
        members.delete(member)
        if (members.size === 0) schedule('slow')
      }
    },
    stop() {
      for (const member of members) member.close()
      members.clear()
      schedule('slow')
    },
  }
}
