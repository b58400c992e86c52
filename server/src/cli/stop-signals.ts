import { EXIT } from './exit.ts'

/** Under npm one Ctrl-C arrives twice: from the terminal, and handed on by npm. */
const SAME_KEYSTROKE_MS = 500

/**
 * Waits until somebody ends this process (Ctrl-C, SIGTERM), or nobody reads what it says any more. The second signal is
 * taken as impatience: `force` runs and the process ends at once.
 */
export function waitForStop(force: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => resolve('SIGPIPE'))
    let askedAt: number | undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (askedAt !== undefined && performance.now() - askedAt > SAME_KEYSTROKE_MS) {
          force()
          process.exit(EXIT.failed)
        }
        askedAt ??= performance.now()
        resolve(signal)
      })
    }
  })
}
