/** A day as people and scripts read it, or a dash. */
export function day(instant: string | null): string {
  return instant ? instant.slice(0, 10) : '-'
}

/** Date and time to the second, in UTC. */
export function moment(instant: string | null): string {
  return instant ? `${instant.slice(0, 10)} ${instant.slice(11, 19)}` : '-'
}

/** The time of day where the terminal stands. */
export function clockTime(instant: string | number): string {
  return new Date(instant).toLocaleTimeString('en-GB')
}

/** How long from `now` until then, in the unit that fits. */
export function until(instant: string | null, now: number): string {
  if (!instant) return '-'
  const seconds = Math.round((new Date(instant).getTime() - now) / 1000)
  return seconds <= 0 ? 'now' : `in ${duration(seconds)}`
}

export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
