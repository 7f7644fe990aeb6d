import { afterEach } from 'vitest'
import { type RunningProcess, spawnProcess } from './running-process.ts'

const running = new Set<RunningProcess>()

// Registered while the test file is being loaded: no process outlives its test.
afterEach(async () => {
  await Promise.all([...running].map((one) => one.stop(0)))
  running.clear()
})

/** Runs a built entry point (`dist/...`), as `spawnProcess` does, until the end of the test. */
export function startProcess(entry: string, args: string[], env: Record<string, string>): RunningProcess {
  const one = spawnProcess(entry, args, env)
  running.add(one)
  return one
}
