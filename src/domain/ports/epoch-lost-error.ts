/** Another manager raised the epoch, or this one never did: nothing may be written any more. The process must end. */
export class EpochLostError extends Error {
  /** Null when this store never raised the epoch. */
  readonly ownEpoch: number | null
  /** Null when the database knows no epoch. */
  readonly currentEpoch: number | null

  constructor(ownEpoch: number | null, currentEpoch: number | null) {
    super(
      ownEpoch === null
        ? 'this store may not write: it never raised the epoch'
        : `epoch ${ownEpoch} is over: the database is at epoch ${currentEpoch ?? 'none'}`,
    )
    this.name = 'EpochLostError'
    this.ownEpoch = ownEpoch
    this.currentEpoch = currentEpoch
  }
}
