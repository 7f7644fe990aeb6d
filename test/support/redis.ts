import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/db/embedded/server.ts'
import { findProgram } from './programs.ts'

/** Becomes Redis, beside a watcher that kills it when our end of its input closes: also when we are killed. */
const WATCHED = 'exec 3<&0; (read -r _ <&3; kill -9 $$) & exec "$@"'

export type RunningRedis = { url: string; pid: number; stop(): Promise<void> }

/** Path of the `redis-server` on PATH, undefined when there is none. */
export const findRedis = () => findProgram('redis-server')

/** Starts an empty Redis that keeps no data on disk, on a (free) port of 127.0.0.1; `stop` kills it. */
export async function startRedis(wantedPort?: number, options: string[] = []): Promise<RunningRedis> {
  const program = findRedis()
  if (program === undefined) throw new Error('redis-server not found')
  const folder = await mkdtemp(join(tmpdir(), 'usher-redis-'))
  const port = wantedPort ?? (await freePort())
  const network = ['--port', String(port), '--bind', '127.0.0.1']
  const storage = ['--dir', folder, '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  const redis = spawn('sh', ['-c', WATCHED, 'sh', program, ...network, ...storage, ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const exited = once(redis, 'exit')
  await Promise.race([
    answering(port),
    exited.then(([code]) => {
      throw new Error(`redis-server ended with exit code ${code}`)
    }),
  ])
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: redis.pid!,
    stop: async () => {
      redis.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function answering(port: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return
  }
  throw new Error('redis-server does not answer')
}
