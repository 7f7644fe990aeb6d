import { execFileSync } from 'node:child_process'
import { appendFile, chown, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { ensureCluster, OWNER, readPassword } from '../../../../src/db/embedded/cluster.ts'
import { readLockFile } from '../../../../src/db/embedded/lock-file.ts'
import { findPaths, type ServerPaths } from '../../../../src/db/embedded/paths.ts'
import { freePort, startServer, stopServer } from '../../../../src/db/embedded/server.ts'
import { eventually } from '../../patience.ts'
import { startTcpProxy } from '../../tcp-proxy.ts'

/** A primary and a standby that follows it by streaming replication, behind an address that a failover moves. */
export type Replicated = {
  /** Leads to the primary, and after the failover to the former standby. */
  url: string
  /** Commits of the primary wait until the standby has them on its disk. */
  makeSynchronous(): Promise<void>
  /** Resolves when the standby has replayed all that the primary had written at the time of the call. */
  caughtUp(): Promise<void>
  /** Lets nothing more through from the primary to the standby. */
  cutReplication(): Promise<void>
  /** Ends the primary at once, as a power cut does, promotes the standby and leads the address to it. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

const NAME = 'standby'

/** Starts both servers in `folder`. The standby begins as a copy of the data folder of the stopped primary. */
export async function startReplicated(folder: string): Promise<Replicated> {
  const primary = await pathsOf(folder, 'primary')
  await ensureCluster(primary)
  const standby = await pathsOf(folder, NAME)
  const [port, standbyPort] = [await freePort(), await freePort()]
  const password = await readPassword(primary.dataDir)
  const replication = await startTcpProxy({ host: '127.0.0.1', port })
  await startServer(primary, port)
  await stopServer(primary)
  await copyAsStandby(primary, standby, `port=${replication.port} user=${OWNER} password=${password}`)
  await startServer(primary, port)
  await startServer(standby, standbyPort)

  const target = { host: '127.0.0.1', port }
  const front = await startTcpProxy(target)
  const urlAt = (at: number) => `postgres://${OWNER}:${password}@127.0.0.1:${at}/postgres`
  const [onPrimary, onStandby] = [urlAt(port), urlAt(standbyPort)]
  return {
    url: urlAt(front.port),
    async makeSynchronous() {
      await ask(onPrimary, `alter system set synchronous_standby_names = '${NAME}'`)
      await ask(onPrimary, 'select pg_reload_conf()')
      const isSync = `select from pg_stat_replication where sync_state = 'sync'`
      await eventually(async () => (await ask(onPrimary, isSync)).length === 1)
    },
    async caughtUp() {
      const [written] = await ask(onPrimary, 'select pg_current_wal_flush_lsn() as at')
      const replayed = `select from pg_last_wal_replay_lsn() as at where at >= '${written?.at}'`
      await eventually(async () => (await ask(onStandby, replayed)).length === 1)
    },
    cutReplication: () => replication.set('blackhole'),
    async failOver() {
      await kill(primary)
      await ask(onStandby, 'select pg_promote()')
      target.port = standbyPort
      await front.set('reset')
      await front.set('pass')
    },
    async stop() {
      await Promise.all([front.close(), replication.close()])
      await Promise.all([kill(primary), kill(standby)])
    },
  }
}

const pathsOf = (folder: string, name: string) => findPaths(join(folder, name), () => undefined)

async function copyAsStandby(primary: ServerPaths, standby: ServerPaths, address: string): Promise<void> {
  execFileSync('cp', ['-a', primary.dataDir, standby.dataDir])
  const signal = join(standby.dataDir, 'standby.signal')
  await writeFile(signal, '')
  const { uid, gid } = await stat(standby.dataDir)
  await chown(signal, uid, gid)
  const conninfo = `primary_conninfo = 'host=127.0.0.1 ${address} application_name=${NAME}'\n`
  await appendFile(join(standby.dataDir, 'postgresql.auto.conf'), conninfo)
}

/** Ends a server by an immediate shutdown, if it runs. */
async function kill({ dataDir }: ServerPaths): Promise<void> {
  const lock = await readLockFile(dataDir)
  if (!lock) return
  process.kill(lock.pid, 'SIGQUIT')
  await eventually(async () => (await readLockFile(dataDir)) === undefined)
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
