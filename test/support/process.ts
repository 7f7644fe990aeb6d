import { afterEach } from 'vitest'
import { type RunningProcess, spawnProcess } from './running-process.ts'
import { spawnUsher, type UsherProcess, upUsher } from './usher-process.ts'

const running = new Set<RunningProcess>()

// Registered while the test file is being loaded: no process outlives its test.
afterEach(async () => {
  await Promise.all([...running].map((one) => one.stop(0)))
  running.clear()
})

/** Runs a built entry point (`dist/...`), as `spawnProcess` does, until the end of the test at the latest. */
export function startProcess(entry: string, args: string[], env: Record<string, string>): RunningProcess {
  const one = spawnProcess(entry, args, env)
  running.add(one)
  return one
}

/** Starts Usher in one of its roles, until the end of the test at the latest; resolves when it is up. */
export async function startUsher(
  role: 'all' | 'server' | 'workers',
  env: Record<string, string>,
): Promise<UsherProcess> {
  const one = spawnUsher(role, env)
  running.add(one)
  return upUsher(one)
}
