/** @returns the IANA name of the zone in which this process shows times. */
export function localTimeZone(): string {
  return new Intl.DateTimeFormat('en').resolvedOptions().timeZone
}
