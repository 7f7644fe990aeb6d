import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectRoot } from '../../../../src/project-root.ts'
import { makeFolder } from '../lab/stores.ts'

/** One change of the built code: `from`, found exactly once in `dist/<file>`, becomes `to`. */
export type Edit = { file: string; from: string; to: string }

/** A copy of the built product with some lines broken; `root` is the folder that holds its `dist`. */
export type Mutant = { root: string; remove(): Promise<void> }

/**
 * Copies `dist` and breaks it.
 * @throws Error when the text to replace is not there exactly once: a mutation that changes nothing proves nothing.
 */
export async function createMutant(edits: Edit[]): Promise<Mutant> {
  const root = await makeFolder('usher-mutant-')
  const remove = () => rm(root, { recursive: true, force: true })
  try {
    for (const part of ['src', 'workers']) {
      await cp(join(projectRoot(), 'dist', part), join(root, 'dist', part), { recursive: true })
    }
    for (const name of ['drizzle', 'assets', 'package.json']) {
      await cp(join(projectRoot(), name), join(root, name), { recursive: true })
    }
    await symlink(join(projectRoot(), 'node_modules'), join(root, 'node_modules'))
    for (const edit of edits) {
      const path = join(root, 'dist', edit.file)
      await writeFile(path, applyEdit(await readFile(path, 'utf8'), edit))
    }
    return { root, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/** @throws Error when the edit's file is missing, or does not hold the text to replace exactly once. */
export async function assertApplies(edit: Edit): Promise<void> {
  applyEdit(await readFile(join(projectRoot(), 'dist', edit.file), 'utf8'), edit)
}

function applyEdit(text: string, { file, from, to }: Edit): string {
  const parts = text.split(from)
  if (parts.length !== 2)
    throw new Error(`dist/${file} holds this text ${parts.length - 1} times instead of once: ${from}`)
  return parts.join(to)
}
