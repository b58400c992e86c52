import { createLog, type Log } from '../../kit/log.ts'
import { LEVEL, readLogLines } from '../log-lines.ts'
import type { Terminal } from '../terminal.ts'
import { liveLine } from './live-lines.ts'

/** Where `dev` speaks. With the log as JSON on standard output, everything for people goes to standard error. */
export type Screen = {
  readonly log: Log
  say(line: string): void
  /** Something that happened besides the deliveries. */
  note(line: string): void
  /** Whether each attempt and each warning is shown. At the beginning, and while things end, only errors are. */
  showLive(wanted: boolean): void
  name(endpointId: string, name: string): void
}

export function createScreen(terminal: Terminal, form: 'live' | 'json', level: string): Screen {
  const names = new Map<string, string>()
  let live = false
  const say = form === 'json' ? terminal.note : terminal.out
  const lines = readLogLines((line) => {
    if (!live && line.level < LEVEL.error) return
    const shown = liveLine(line, { colors: terminal.colors, nameOf: (id) => names.get(id) ?? id })
    if (shown) terminal.out(shown)
  })
  return {
    log: form === 'json' ? createLog(level) : createLog('info', lines),
    say,
    note: (line) => say(terminal.colors.yellow(`! ${line}`)),
    showLive(wanted) {
      live = wanted
    },
    name: (endpointId, name) => void names.set(endpointId, name),
  }
}
