import { join } from 'node:path'
import { projectRoot } from '../../../../src/project-root.ts'
import type { Cleanup } from './cleanup.ts'
import { lastingPort } from './ports.ts'
import { startProxy } from './proxies.ts'
import { type ProcessRole, recordMemory, UsherProcess, type UsherProcessOptions } from './usher-process.ts'

type ProcessesOptions = Pick<UsherProcessOptions, 'env' | 'secrets'> & {
  receivers?: number | undefined
  workers?: number | undefined
  /** Own variables of each worker. */
  workerEnv?: Record<string, string>[] | undefined
  root?: string | undefined
  /** Folder of the logs, `<name>.log`. */
  folder: string
}

type Processes = {
  receivers: UsherProcess[]
  workers: UsherProcess[]
  /** The receivers' public URLs. */
  urls: string[]
  /** The URLs of the internal listeners, in the order receivers, workers. */
  opsUrls: string[]
}

const MEMORY_EVERY_MS = 1_000

/** Starts receivers and workers, and resolves when all are up. */
export async function startProcesses(options: ProcessesOptions, cleanup: Cleanup): Promise<Processes> {
  const { receivers = 2, workers = 2, workerEnv = [] } = options
  const urls: string[] = []
  const opsUrls: string[] = []
  const create = async (role: ProcessRole, name: string, env: Record<string, string> = {}) => {
    const opsPort = String(await lastingPort())
    opsUrls.push(`http://127.0.0.1:${opsPort}`)
    return createProcess(options, cleanup, role, name, { ...env, OPS_PORT: opsPort })
  }
  const all: Processes = { receivers: [], workers: [], urls, opsUrls }
  for (let i = 1; i <= receivers; i += 1) {
    const port = String(await lastingPort())
    urls.push(`http://127.0.0.1:${port}`)
    all.receivers.push(await create('server', `receiver-${i}`, { HOST: '127.0.0.1', PORT: port }))
  }
  for (let i = 1; i <= workers; i += 1) {
    all.workers.push(await create('workers', `worker-${i}`, workerEnv[i - 1]))
  }
  const processes = [...all.receivers, ...all.workers]
  await Promise.all(processes.map((process) => process.start()))
  const timer = setInterval(() => void recordMemory(processes), MEMORY_EVERY_MS)
  cleanup.add(() => clearInterval(timer))
  return all
}

function createProcess(
  { env, secrets, root = projectRoot(), folder }: ProcessesOptions,
  cleanup: Cleanup,
  role: ProcessRole,
  name: string,
  own: Record<string, string>,
): UsherProcess {
  const logFile = join(folder, `${name}.log`)
  const process = new UsherProcess({ role, name, root, env: { ...env, ...own }, logFile, secrets })
  cleanup.add(() => process.end('SIGKILL'))
  return process
}

/** A proxy in front of each receiver. */
export function proxyReceivers({ urls }: Processes, cleanup: Cleanup) {
  return Promise.all(urls.map((url) => startProxy(url, cleanup)))
}
