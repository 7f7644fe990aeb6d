import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { OWNER, readPassword } from './cluster.ts'
import { readLockFile, removeFalseLock } from './lock-file.ts'
import type { Place } from './place.ts'
import { freePort, startServer, stopServer } from './server.ts'

/**
 * A keeper's place at the server: one connection, held as long as the keeper needs the server. Who connects
 * and who leaves take the same lock in turn, so the last to leave knows that it is the last.
 */
export type Seat = { url: string; port: number; lost: Promise<unknown>; client: pg.Client }

const KEEPER = 'usher-keeper'
const DOOR_LOCK = 0x55534b50
const JOIN_MILLIS = 60_000

/** Failures that pass: another process is starting or stopping this server, or took the port. */
const PASSING = /lock file|shared memory block|Address already in use/

/**
 * Joins the server of this data folder, starting it (on `wantedPort`, if one is given) when it does not run.
 * @throws Error with the server's last log lines when it cannot be started, or not joined within 60 s.
 */
export async function takeSeat(place: Place, wantedPort?: number): Promise<Seat> {
  const password = await readPassword(place.dataDir)
  let failure: Error | undefined
  for (const deadline = Date.now() + JOIN_MILLIS; Date.now() < deadline; await sleep(200)) {
    const seat = await join(place, password).catch((error: Error) => {
      failure = error
    })
    if (seat) return seat
    await removeFalseLock(place.dataDir)
    await startServer(place, wantedPort ?? (await freePort())).catch((error: Error) => {
      if (!PASSING.test(error.message)) throw error
      failure = error
    })
  }
  throw failure ?? new Error('no server appeared')
}

/** Gives the seat up; the last one to leave stops the server. */
export async function leaveSeat({ client }: Seat, place: Place): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [DOOR_LOCK])
  const { rowCount: others } = await client.query(
    'select 1 from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()',
    [KEEPER],
  )
  if (others === 0) return stopServer(place)
  // A session lets go of its locks a moment before it leaves the list, so it takes its name off first.
  await client.query(`set application_name = ''`)
  await client.end()
}

/** Undefined when no server has announced itself. */
async function join(place: Place, password: string): Promise<Seat | undefined> {
  const lock = await readLockFile(place.dataDir)
  if (!lock) return undefined
  const { port } = lock
  const address = { host: '127.0.0.1', port, user: OWNER, password, database: 'postgres' }
  const client = new pg.Client({ ...address, application_name: KEEPER, connectionTimeoutMillis: 5_000 })
  const lost = new Promise((resolve) => client.once('end', resolve))
  // A lost connection is told by `lost`; without a listener the error would end this process.
  client.on('error', () => {})
  try {
    await client.connect()
    await assertServerOf(place, client)
    await client.query('select pg_advisory_lock($1)', [DOOR_LOCK])
    await createOwnersDatabase(client)
    await client.query('select pg_advisory_unlock($1)', [DOOR_LOCK])
    return { url: `postgres://${OWNER}:${password}@127.0.0.1:${port}/${OWNER}`, port, lost, client }
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** After a crash the port may be another server's, even that of a copy of this folder with its password. */
async function assertServerOf({ dataDir }: Place, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory')
  if (rows[0]?.data_directory !== dataDir) throw new Error('its port belongs to another server')
}

async function createOwnersDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [OWNER])
  if (rowCount === 0) await client.query(`create database ${OWNER}`)
}
