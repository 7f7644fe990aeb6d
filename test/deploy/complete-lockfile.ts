import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'

type Entry = { name?: string; version: string; integrity?: string }

/**
 * `npm run lockfile:complete`: gives each entry of package-lock.json that has no integrity the one that its package was
 * published with. npm leaves these out for packages of other platforms, which it does not download.
 */
function main(): void {
  const path = join(projectRoot(), 'package-lock.json')
  const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(path, 'utf8'))
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === '' || entry.integrity) continue
    const name = `${entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${entry.version}`
    lock.packages[place] = withIntegrity(entry, integrityOf(name))
    process.stdout.write(`${name}\n`)
  }
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
}

/** @throws Error when the package is not published, or was published without a SHA-512. */
function integrityOf(name: string): string {
  const integrity = execFileSync('npm', ['view', name, 'dist.integrity'], { encoding: 'utf8' }).trim()
  if (!integrity.startsWith('sha512-')) throw new Error(`${name} has no SHA-512 integrity`)
  return integrity
}

/** The entry with its integrity behind the version, where npm writes it. */
function withIntegrity({ name, version, ...rest }: Entry, integrity: string): Entry {
  return { ...(name !== undefined && { name }), version, integrity, ...rest }
}

main()
