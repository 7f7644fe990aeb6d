import { readFileSync } from 'node:fs'
import { RENAMED, SECRETS, VARIABLES } from './config-variables.ts'

export type Given = Record<string, string | undefined>

export type GivenVariables = {
  /** The variables that are set, under their present names. */
  given: Given
  /** Advice to rename variables. */
  renamed: string[]
  mistakes: string[]
}

/** Reads the variables of an environment, and the files that `<name>_FILE` names. An empty variable counts as absent. */
export function readVariables(env: Given): GivenVariables {
  const read = (name: string) => env[name]?.trim() || undefined
  const given: Given = Object.fromEntries(VARIABLES.map((name) => [name, read(name)]))
  const renamed: string[] = []
  const mistakes: string[] = []
  for (const [oldName, name] of Object.entries(RENAMED)) {
    const value = read(oldName)
    if (value === undefined) continue
    given[name] ??= value
    if (given[name] === value) renamed.push(`${oldName} is now called ${name}; please rename the variable`)
    else mistakes.push(`${name} and ${oldName}, its old name, have different values: set ${name} only`)
  }
  for (const name of SECRETS) {
    const path = read(`${name}_FILE`)
    if (path === undefined) continue
    if (given[name] !== undefined) mistakes.push(`${name} and ${name}_FILE exclude each other`)
    given[name] ??= readSecret(path)
    if (given[name] === undefined) mistakes.push(`${name}_FILE names a file that is empty or cannot be read`)
  }
  return { given, renamed, mistakes }
}

function readSecret(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
