import { APP_SECRET } from './post.ts'
import { type RunningProcess, type SpawnOptions, spawnProcess } from './running-process.ts'

/** A process of Usher that listens. */
export type UsherProcess = RunningProcess & {
  /** Of the receiver and the API; '' for a process with workers only. */
  url: string
  opsUrl: string
  queue: string
}

/** What a process needs to start, on free ports of loopback. */
const ENV = {
  META_APP_SECRET: APP_SECRET,
  META_VERIFY_TOKEN: 'e2e-verify',
  HOST: '127.0.0.1',
  PORT: '0',
  OPS_PORT: '0',
  SHUTDOWN_DELAY_SECONDS: '0',
}

/** Starts the built Usher in one of its roles; `upUsher` resolves when it listens. */
export function spawnUsher(
  role: 'all' | 'server' | 'workers',
  env: Record<string, string>,
  options?: SpawnOptions,
): RunningProcess {
  return spawnProcess('workers/main.js', [role], { ...ENV, ...env }, options)
}

/** Resolves when a process of Usher says that it listens, which may be before it is up. */
export async function upUsher(running: RunningProcess): Promise<UsherProcess> {
  const { url = '', opsUrl, queue } = JSON.parse((await running.printed(/^\{.*"Usher listens.*$/m))[0])
  return { ...running, url, opsUrl, queue }
}
