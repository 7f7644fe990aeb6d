import { atEndOf } from './at-end.ts'
import { type RunningProcess, spawnProcess } from './running-process.ts'
import { spawnUsher, type UsherProcess, upUsher } from './usher-process.ts'

/** Runs a built entry point (`dist/...`), as `spawnProcess` does, until the end of the test at the latest. */
export function startProcess(entry: string, args: string[], env: Record<string, string>): RunningProcess {
  const one = spawnProcess(entry, args, env)
  atEndOf('test', () => one.stop(0))
  return one
}

/** Starts Usher in one of its roles, until the end of the test or file at the latest; resolves when it listens. */
export async function startUsher(
  role: 'all' | 'server' | 'workers',
  env: Record<string, string>,
  until: 'test' | 'file' = 'test',
): Promise<UsherProcess> {
  const one = spawnUsher(role, env)
  atEndOf(until, () => one.stop(0))
  return upUsher(one)
}

/** Resolves when a process has started the process of its workers for the `nth` time; gives the id of that process. */
export async function startedWorkers({ printed }: RunningProcess, nth = 1): Promise<number> {
  const line = '"pid":(\\d+),"msg":"the process of the workers was started"'
  const [, pid] = await printed(new RegExp(`(?:[^]*?${line}){${nth}}`))
  return Number(pid)
}
