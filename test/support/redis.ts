import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/db/embedded/server.ts'
import { eventually } from './patience.ts'
import { findProgram } from './programs.ts'
import { spawnWatched } from './watched.ts'

export type RunningRedis = { url: string; pid: number; stop(): Promise<void> }

/** Path of the `redis-server` on PATH, undefined when there is none. */
export const findRedis = () => findProgram('redis-server')

/** Starts an empty Redis that keeps no data on disk, on a (free) port of 127.0.0.1; `stop` kills it. */
export async function startRedis(wantedPort?: number, options: string[] = []): Promise<RunningRedis> {
  const port = wantedPort ?? (await freePort())
  const folder = await mkdtemp(join(tmpdir(), 'usher-redis-'))
  const network = ['--port', String(port), '--bind', '127.0.0.1']
  const storage = ['--dir', folder, '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  return run(port, folder, [...network, ...storage, ...options])
}

/** Starts a Sentinel that alone decides, within a second, that the primary at a port is down. */
export async function startSentinel(name: string, primaryPort: number): Promise<RunningRedis> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'usher-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  return run(port, folder, [file, '--sentinel'])
}

async function run(port: number, folder: string, args: string[]): Promise<RunningRedis> {
  const program = findRedis()
  if (program === undefined) throw new Error('redis-server not found')
  const redis = spawnWatched(program, args)
  redis.stdout.resume()
  redis.stderr.resume()
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
  await eventually(async () => {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
    } finally {
      socket.destroy()
    }
  })
}
