import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Absolute path of the nearest folder above this file that has a package.json: the same folder when this file runs from
 * the sources and when it runs from `dist`.
 * @throws Error when there is no such folder.
 */
export function projectRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`no package.json above ${import.meta.dirname}`)
  }
}
