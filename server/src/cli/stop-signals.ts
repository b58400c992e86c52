import { EXIT } from './exit.ts'

/**
 * Waits until somebody ends this process (Ctrl-C, SIGTERM). The second time is taken as impatience: `force` runs and the
 * process ends at once.
 */
export function waitForStop(force: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) {
          force()
          process.exit(EXIT.failed)
        }
        asked = true
        resolve(signal)
      })
    }
  })
}
