import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { readLockFile } from '../../../../src/db/embedded/lock-file.ts'
import { type Embedded, startEmbedded } from '../../../../src/db/embedded/start.ts'
import { eventually } from '../../patience.ts'
import { freezeProcesses } from './freeze.ts'

/** A PostgreSQL server of its own, to be crashed, frozen and thawed. */
export type FaultyPostgres = {
  url: string
  /** Ends it at once, as a power cut ends its processes; its keeper starts it again. Resolves when it answers. */
  crash(): Promise<void>
  /** Stops every process of the server until `thaw`: connections stay open and silent. */
  freeze(): Promise<void>
  thaw(): void
  /** The statements of the last deadlocks of the server, at most so many, as its log describes them. */
  lastDeadlocks(count: number): Promise<string[]>
  stop(): Promise<void>
}

const PROBE_MS = 1_000

/** Starts an empty server, with fsync, in the folder `postgres` below `folder`. */
export async function startFaultyPostgres(folder: string): Promise<FaultyPostgres> {
  const dataDir = join(folder, 'postgres')
  const server: Embedded = await startEmbedded({ dataDir, log: () => undefined })
  let thaw = () => {}
  return {
    url: server.url,
    async crash() {
      const before = await postmasterOf(dataDir)
      process.kill(before, 'SIGQUIT') // immediate shutdown
      await eventually(async () => {
        const lock = await readLockFile(dataDir)
        return lock !== undefined && lock.pid !== before && lock.ready && (await answers(server.url))
      })
    },
    async freeze() {
      const postmaster = await postmasterOf(dataDir)
      // The postmaster first, so that it starts no other process meanwhile.
      const thaws = [freezeProcesses([postmaster])]
      thaws.push(freezeProcesses(childrenOf(postmaster)))
      thaw = () => {
        for (const one of thaws.splice(0)) one()
      }
    },
    thaw: () => thaw(),
    async lastDeadlocks(count) {
      return count > 0
        ? describeDeadlocks(await readFile(join(dataDir, 'server.log'), 'utf8')).slice(-count)
        : []
    },
    async stop() {
      thaw()
      await server.stop()
    },
  }
}

/** What a server's log says about each deadlock: which process waited for which, and the statement of each. */
function describeDeadlocks(log: string): string[] {
  const details = log.matchAll(/ERROR: {2}deadlock detected\n[^\n]*DETAIL: {2}([^\n]*\n(?:\t[^\n]*\n)*)/g)
  return [...details].map(([, detail = '']) => detail.replace(/\s+/g, ' ').trim())
}

async function postmasterOf(dataDir: string): Promise<number> {
  const lock = await readLockFile(dataDir)
  if (!lock) throw new Error('PostgreSQL does not run')
  return lock.pid
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: PROBE_MS,
    query_timeout: PROBE_MS,
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
