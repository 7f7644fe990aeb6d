import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { OWNER, readPassword } from './cluster.ts'
import { readLockFile, removeFalseLock } from './lock-file.ts'
import type { ServerPaths } from './paths.ts'
import { freePort, startServer, stopServer } from './server.ts'

/**
 * One keeper's claim on a server: a connection that it holds for as long as it needs the server. Keepers that join and
 * keepers that leave take the same lock in turn, so the last one to leave knows that it is the last.
 */
export type Membership = { url: string; port: number; lost: Promise<unknown>; client: pg.Client }

const KEEPER = 'usher-keeper'
const MEMBERS_LOCK = 0x55534b50
const JOIN_MS = 60_000

/** Failures that pass: another process is starting or stopping this server, or has taken the port. */
const TEMPORARY = /lock file|shared memory block|Address already in use/

/**
 * Joins the server of this data folder, after starting it if it does not run (on `wantedPort`, if one is given).
 * @throws Error with the server's last log lines when it cannot be started, or could not be joined within 60 s.
 */
export async function joinServer(paths: ServerPaths, wantedPort?: number): Promise<Membership> {
  const password = await readPassword(paths.dataDir)
  let failure: Error | undefined
  for (const deadline = Date.now() + JOIN_MS; Date.now() < deadline; await sleep(200)) {
    const membership = await tryJoin(paths, password).catch((error: Error) => {
      failure = error
    })
    if (membership) return membership
    await removeFalseLock(paths.dataDir)
    await startServer(paths, wantedPort ?? (await freePort())).catch((error: Error) => {
      if (!TEMPORARY.test(error.message)) throw error
      failure = error
    })
  }
  throw failure ?? new Error('no server appeared')
}

/** Gives the membership up. The last member to leave stops the server. */
export async function leaveServer({ client }: Membership, paths: ServerPaths): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [MEMBERS_LOCK])
  const { rowCount: others } = await client.query(
    'select 1 from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()',
    [KEEPER],
  )
  if (others === 0) return stopServer(paths)
  // PostgreSQL releases a session's locks shortly before the session disappears from pg_stat_activity. Without its name,
  // this session no longer counts for the next keeper that gets the lock.
  await client.query(`set application_name = ''`)
  await client.end()
}

/** Resolves with undefined when no server has written its lock file. */
async function tryJoin(paths: ServerPaths, password: string): Promise<Membership | undefined> {
  const lock = await readLockFile(paths.dataDir)
  if (!lock) return undefined
  const { port } = lock
  const address = { host: '127.0.0.1', port, user: OWNER, password, database: 'postgres' }
  const client = new pg.Client({ ...address, application_name: KEEPER, connectionTimeoutMillis: 5_000 })
  const lost = new Promise((resolve) => client.once('end', resolve))
  // `lost` reports a lost connection. Without this listener, its error would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    await assertServerOf(paths, client)
    await client.query('select pg_advisory_lock($1)', [MEMBERS_LOCK])
    await createOwnersDatabase(client)
    await client.query('select pg_advisory_unlock($1)', [MEMBERS_LOCK])
    return { url: `postgres://${OWNER}:${password}@127.0.0.1:${port}/${OWNER}`, port, lost, client }
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** After a crash, the port may belong to another server, even to that of a copied data folder with the same password. */
async function assertServerOf({ dataDir }: ServerPaths, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory')
  if (rows[0]?.data_directory !== dataDir) throw new Error('its port belongs to another server')
}

async function createOwnersDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [OWNER])
  if (rowCount === 0) await client.query(`create database ${OWNER}`)
}
