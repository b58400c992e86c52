import { readdir, readlink, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunning, readProcess } from './running-process.ts'

type Ownership = { release(): Promise<void> }

const NAME = /^postgres-owner\.(\d+)$/
const FREE = 'nobody'

/**
 * Makes this process the one that starts and stops the database in `folder`, or says which live process is.
 *
 * Each change of owner makes the next of a row of numbered symbolic links whose text names the process: making one is
 * atomic and complete, so that two starters who both find a dead owner cannot both follow it.
 */
export async function takeOwnership(folder: string): Promise<Ownership> {
  const self = await readProcess(process.pid)
  if (!self) throw new Error('The start time of this process cannot be read: is /proc mounted?')
  const mine = `${self.pid}@${self.startedAt}`
  for (let tried = 0; tried < 20; tried++) {
    const last = await lastLink(folder)
    await refuseLiveOwner(folder, last.text)
    const number = last.number + 1
    if (!(await makeLink(folder, number, mine))) continue
    // A slow starter may have filled a gap that a later owner had cleared away already.
    if ((await lastLink(folder)).number === number) {
      await clearUpTo(folder, number - 1)
      return { release: () => release(folder, number) }
    }
    await rm(linkAt(folder, number), { force: true })
  }
  throw new Error(`Several processes are starting the database in ${folder} at once: start one of them.`)
}

async function release(folder: string, number: number): Promise<void> {
  try {
    await makeLink(folder, number + 1, FREE)
    await clearUpTo(folder, number)
  } catch (error) {
    // Somebody removed the whole folder: there is nothing left to own.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function refuseLiveOwner(folder: string, text: string): Promise<void> {
  const [, pid, startedAt] = /^(\d+)@(.+)$/.exec(text) ?? []
  if (!pid || !startedAt || !(await isRunning({ pid: Number(pid), startedAt }))) return
  throw new Error(`The process with pid ${pid} already runs the database in ${folder}: stop it first, or give this one another folder.`)
}

async function lastLink(folder: string): Promise<{ number: number; text: string }> {
  const number = Math.max(0, ...(await numbers(folder)))
  const text = number === 0 ? FREE : await readlink(linkAt(folder, number)).catch(() => FREE)
  return { number, text }
}

async function makeLink(folder: string, number: number, text: string): Promise<boolean> {
  try {
    await symlink(text, linkAt(folder, number))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function clearUpTo(folder: string, last: number): Promise<void> {
  const old = (await numbers(folder)).filter((number) => number <= last)
  await Promise.all(old.map((number) => rm(linkAt(folder, number), { force: true })))
}

async function numbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).map((name) => Number(NAME.exec(name)?.[1] ?? 0)).filter((number) => number > 0)
}

function linkAt(folder: string, number: number): string {
  return join(folder, `postgres-owner.${number}`)
}
