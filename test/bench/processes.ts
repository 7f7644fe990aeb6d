import { join } from 'node:path'
import { projectRoot } from '../../src/project-root.ts'
import { type RunningProcess, spawnProcess } from '../support/running-process.ts'
import { SECRET } from './requests.ts'

/** A process under test: the name of its figures, and where it listens, if it does. */
export type Process = {
  name: string
  pid: number
  /** The process of its workers is its child. */
  withChildren: boolean
  port: number | undefined
  opsUrl: string | undefined
  stop(): Promise<void>
}

/** Enough to tell why a process did not start. */
const KEPT_OUTPUT = 20_000
const UP = /^\{.*"msg":"(Usher is )?up".*$/m

const running = new Set<RunningProcess>()

/** Stops all processes that still run. */
export async function stopProcesses(): Promise<void> {
  await Promise.all([...running].map((one) => one.stop()))
}

/**
 * Starts a role of Usher as users do: from `dist`, with production settings, without this process's environment. `root`:
 * the checkout that holds `dist`, this one unless given.
 */
export function startUsher(
  role: 'all' | 'server' | 'workers',
  env: Record<string, string>,
  root = projectRoot(),
): Promise<Process> {
  const name = role === 'all' ? 'usher' : role
  return start(name, join(root, 'dist/workers/main.js'), [role], {
    ...{ META_APP_SECRET: SECRET, META_VERIFY_TOKEN: 'word', HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' },
    SHUTDOWN_DELAY_SECONDS: '0',
    ...env,
  })
}

/** Starts a file of this folder, built. It prints `{"msg":"up","url":...}` when it is ready. */
export function startScript(name: string, file: string, env: Record<string, string>): Promise<Process> {
  return start(name, join(import.meta.dirname, file), [], env)
}

/** As `startScript`, of a file at this path. */
export function startFile(name: string, path: string, env: Record<string, string>): Promise<Process> {
  return start(name, path, [], env)
}

async function start(
  name: string,
  entry: string,
  args: string[],
  env: Record<string, string>,
): Promise<Process> {
  const one = spawnProcess(entry, args, { NODE_ENV: 'production', ...env }, { keep: KEPT_OUTPUT })
  running.add(one)
  const stop = async () => {
    await one.stop()
    running.delete(one)
  }
  try {
    const { url, opsUrl } = JSON.parse((await one.printed(UP))[0])
    const port = url ? Number(new URL(url).port) : undefined
    return { name, pid: one.pid, withChildren: name === 'usher', port, opsUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
