import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Path of a program on PATH, undefined when there is none. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Those of some processes that run; one that has ended, and that nobody has waited for, does not. */
export async function stillRunning(pids: number[]): Promise<number[]> {
  const ps = promisify(execFile)('ps', ['-o', 'pid=,stat=', '-p', pids.join(',')])
  // When none is left, ps exits with 1.
  const { stdout } = await ps.catch(() => ({ stdout: '' }))
  const states = new Map(stdout.split('\n').map((line) => line.trim().split(/\s+/) as [string, string]))
  return pids.filter((pid) => /^[^Z]/.test(states.get(String(pid)) ?? ''))
}
