import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Absolute path of the folder that holds package.json, found by climbing from this file: the same from the
 * sources and from `dist`.
 * @throws Error when no folder above this file has one.
 */
export function projectRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) throw new Error(`no package.json above ${import.meta.dirname}`)
  }
}
