import { createLog, type Log } from '../../kit/log.ts'
import { LEVEL, readLogLines } from '../log-lines.ts'
import type { Terminal } from '../terminal.ts'
import { createBursts } from './bursts.ts'
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

const LINES_A_SECOND = 20

const WORDS: Readonly<Record<string, string>> = { delivered: 'delivered', retry: 'to be tried again' }

export function createScreen(terminal: Terminal, form: 'live' | 'json', level: string): Screen {
  const names = new Map<string, string>()
  let live = false
  const say = form === 'json' ? terminal.note : terminal.out
  const lines = readLogLines((line) => {
    if (!live && line.level < LEVEL.error) return
    const shown = liveLine(line, { colors: terminal.colors, nameOf: (id) => names.get(id) ?? id })
    if (shown === undefined) return
    if (line.level >= LEVEL.warn) terminal.out(shown)
    else bursts.add(WORDS[String(line.verdict)] ?? 'more', shown)
  })
  const bursts = createBursts({ most: LINES_A_SECOND, print: (line) => terminal.out(line) })
  setInterval(bursts.flush, 1_000).unref()
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
