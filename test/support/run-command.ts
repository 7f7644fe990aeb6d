import { type Command, CommanderError } from 'commander'
import { vi } from 'vitest'

/**
 * Runs a command of the command line in this process, with these variables and no others of its kind. Gives all it
 * printed, errors included, and the exit code that `src/cli/main.ts` would end with.
 */
export async function runCommand(
  command: Command,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  let output = ''
  const write = (text: string) => {
    output += text
  }
  const printed = vi.spyOn(console, 'log').mockImplementation((line) => write(`${line}\n`))
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const before = process.exitCode
  try {
    await command
      .exitOverride()
      .configureOutput({ writeErr: write, writeOut: write })
      .parseAsync(args, { from: 'user' })
    return { code: Number(process.exitCode ?? 0), output }
  } catch (error) {
    if (!(error instanceof CommanderError)) write(`${(error as Error).message}\n`)
    return { code: 1, output }
  } finally {
    process.exitCode = before
    vi.unstubAllEnvs()
    printed.mockRestore()
  }
}
