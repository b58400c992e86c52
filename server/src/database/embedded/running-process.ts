import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** A process that can be told from a later one with the same number. */
export type RunningProcess = { readonly pid: number; readonly startedAt: string }

/** What runs under this number, or undefined. A zombie counts as gone: where we are process 1 nobody reaps what we adopted. */
export async function readProcess(pid: number): Promise<(RunningProcess & { readonly command: string }) | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  return process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid)
}

export async function isRunning({ pid, startedAt }: RunningProcess): Promise<boolean> {
  return (await readProcess(pid))?.startedAt === startedAt
}

/** Sends a signal, unless the process is gone already. */
export async function signalProcess(target: RunningProcess, signal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(target))) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Only files that everybody may read: root in a container lacks the right to see another user's /proc/<pid>/cwd and exe. */
async function readFromProc(pid: number) {
  try {
    const [stat, command, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The name in the second field may hold blanks and brackets; what follows its last bracket is plain.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, startedAt: `${boot.trim()}.${fields[19]}`, command: command.replaceAll('\0', ' ') }
  } catch {
    return undefined
  }
}

async function readFromPs(pid: number) {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-p', String(pid), '-o', 'lstart=,state=,command='], {
      env: { LC_ALL: 'C' },
    })
    const [, startedAt, state, command] = /^\s*(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(\S+)\s+(.*)/.exec(stdout) ?? []
    if (!startedAt || !command || state?.startsWith('Z')) return undefined
    return { pid, startedAt: startedAt.replaceAll(/\s+/g, '-'), command: `${command.trim()} ` }
  } catch {
    return undefined
  }
}
