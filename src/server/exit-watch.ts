const exitSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** How often the parent is looked at, in ms. */
const parentCheckMs = 400

/**
 * Calls `exit` once when a signal asks for it or the process that started this one is gone. A client that was killed
 * cannot send a signal, and another process may hold our stdin open, so the parent's pid is watched as well.
 * @returns a function that stops watching
 */
export function watchForExit(exit: (reason: string) => void): () => void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent) exit('the parent process is gone')
  }, parentCheckMs)
  timer.unref()
  const onSignal = (signal: NodeJS.Signals) => exit(signal)
  for (const signal of exitSignals) process.on(signal, onSignal)
  return () => {
    clearInterval(timer)
    for (const signal of exitSignals) process.off(signal, onSignal)
  }
}
