import { chmod, mkdir } from 'node:fs/promises'

/** Makes the folder of the database and the keys for its owner alone. As root, PostgreSQL's own user may pass through it. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (made) await chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
}
