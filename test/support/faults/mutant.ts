import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../../../src/project-root.ts'

/** One change of the built code: `from`, found exactly once in `dist/<file>`, becomes `to`. */
export type Edit = { file: string; from: string; to: string }

/** A copy of the built product with some lines broken; `root` is the folder that holds its `dist`. */
export type Mutant = { root: string; remove(): Promise<void> }

/**
 * Copies `dist` and breaks it.
 * @throws Error when a text to break is not there exactly once: a mutation that changes nothing proves nothing.
 */
export async function createMutant(edits: Edit[]): Promise<Mutant> {
  const root = await mkdtemp(join(tmpdir(), 'usher-mutant-'))
  const remove = () => rm(root, { recursive: true, force: true })
  try {
    await chmod(root, 0o755)
    for (const part of ['src', 'workers']) {
      await cp(join(projectRoot(), 'dist', part), join(root, 'dist', part), { recursive: true })
    }
    for (const name of ['drizzle', 'assets', 'package.json']) {
      await cp(join(projectRoot(), name), join(root, name), { recursive: true })
    }
    await symlink(join(projectRoot(), 'node_modules'), join(root, 'node_modules'))
    for (const edit of edits) await apply(root, edit)
    return { root, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function apply(root: string, { file, from, to }: Edit): Promise<void> {
  const path = join(root, 'dist', file)
  const parts = (await readFile(path, 'utf8')).split(from)
  if (parts.length !== 2) throw new Error(`dist/${file} has ${parts.length - 1} times, not once: ${from}`)
  await writeFile(path, parts.join(to))
}
