import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readLockFile } from './lock-file.ts'
import type { ServerPaths } from './paths.ts'
import { run } from './system.ts'

const SETTINGS = { listen_addresses: '127.0.0.1', unix_socket_directories: '' }
const LOG_LINES = 15

/**
 * Starts the server on `port` of 127.0.0.1 and waits until it accepts connections, which after a crash takes as long as
 * its recovery. The server outlives this process.
 * @throws Error with the server's last log lines when it ends instead.
 */
export async function startServer(paths: ServerPaths, port: number): Promise<void> {
  const logFile = join(paths.dataDir, 'server.log')
  const log = openSync(logFile, 'a', 0o600)
  const logged = statSync(logFile).size
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(paths.bin, 'postgres'), ['-D', paths.dataDir, '-p', String(port), ...settings], {
    ...paths.account,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  server.unref()
  const failure = await whyNotReady(server, paths)
  if (failure) throw new Error(`${failure}\n${await lastLines(logFile, logged)}`)
}

/** Stops the server and waits for its end. Open connections are cut; nothing that was committed is lost. */
export async function stopServer({ bin, dataDir, account }: ServerPaths): Promise<void> {
  await run(join(bin, 'pg_ctl'), ['stop', '-D', dataDir, '-m', 'fast', '-w'], account)
}

/** A TCP port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** Resolves with undefined when the server is ready, or with a description of how it ended. */
async function whyNotReady(server: ChildProcess, { dataDir }: ServerPaths): Promise<string | undefined> {
  let failure: string | undefined
  server.once('error', (error) => {
    failure = `PostgreSQL cannot be started: ${error.message}`
  })
  server.once('exit', (code, signal) => {
    failure = `PostgreSQL did not start (${signal ?? `exit code ${code}`}). Its last log lines:`
  })
  while (!failure) {
    const lock = await readLockFile(dataDir)
    if (lock?.ready && lock.pid === server.pid) return undefined
    await sleep(25)
  }
  return failure
}

async function lastLines(path: string, from: number): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read({ position: from, buffer: Buffer.alloc(64 * 1024) })
    const text = buffer.toString('utf8', 0, bytesRead).trimEnd()
    return text.split('\n').slice(-LOG_LINES).join('\n')
  } finally {
    await file.close()
  }
}
