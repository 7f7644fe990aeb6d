import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { readLockFile } from '../../../src/db/embedded/lock-file.ts'
import { type Embedded, startEmbedded } from '../../../src/db/embedded/start.ts'
import { whenGone } from '../watched.ts'

/** A PostgreSQL server of its own, to be crashed, frozen and thawed. */
export type FaultyPostgres = {
  url: string
  /** Ends it at once, as a power cut ends its processes; its keeper starts it again. Resolves when it answers. */
  crash(): Promise<void>
  /** Stops every process of the server until `thaw`: connections stay open and silent. */
  freeze(): Promise<void>
  thaw(): void
  stop(): Promise<void>
}

const UP_WITHIN_MS = 30_000

/** Starts an empty server, with fsync, whose data lie in a folder below `folder`. */
export async function startFaultyPostgres(folder: string): Promise<FaultyPostgres> {
  const dataDir = join(folder, 'postgres')
  const server: Embedded = await startEmbedded({ dataDir, log: () => undefined })
  let frozen: number[] = []
  let thawing = { cancel: () => {} }
  const postmaster = async () => {
    const lock = await readLockFile(dataDir)
    if (!lock) throw new Error('PostgreSQL does not run')
    return lock.pid
  }
  const thaw = () => {
    for (const pid of frozen) signal(pid, 'SIGCONT')
    frozen = []
    thawing.cancel()
  }
  return {
    url: server.url,
    async crash() {
      const before = await postmaster()
      signal(before, 'SIGQUIT') // immediate shutdown
      for (const end = Date.now() + UP_WITHIN_MS; Date.now() < end; await sleep(20)) {
        const lock = await readLockFile(dataDir)
        if (lock && lock.pid !== before && lock.ready && (await answers(server.url))) return
      }
      throw new Error('PostgreSQL did not come back')
    },
    async freeze() {
      const pid = await postmaster()
      signal(pid, 'SIGSTOP')
      frozen = [pid, ...childrenOf(pid)]
      for (const child of frozen) signal(child, 'SIGSTOP')
      // A frozen server could not be stopped by its keeper.
      thawing = whenGone(`kill -CONT ${frozen.join(' ')}`)
    },
    thaw,
    async stop() {
      thaw()
      await server.stop()
    },
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 1_000,
    query_timeout: 1_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    client.end().catch(() => undefined)
  }
}

function childrenOf(parent: number): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : []))
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
