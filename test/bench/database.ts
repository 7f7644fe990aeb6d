import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import { projectRoot } from '../../src/project-root.ts'
import { growLedger } from './grown-ledger.ts'
import { loadRooms } from './load.ts'
import { localeSql } from './locale.ts'

const FOLDER = join(tmpdir(), 'usher-bench')
const DATA_DIR = join(FOLDER, 'postgres')
const COPY = `bench_run_${process.pid}`

/**
 * Settings that an operator of a million chatrooms would choose, the same for all variants and equally durable; and
 * the time of each commit, from which the benchmark knows when a message was routed.
 */
const TUNING = {
  shared_buffers: '2GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  track_commit_timestamp: 'on',
}

/** Settings that every figure depends on; they are printed with the figures. */
const SETTINGS = [
  ...[
    'server_version',
    'fsync',
    'synchronous_commit',
    'full_page_writes',
    'wal_sync_method',
    'shared_buffers',
  ],
  ...['max_wal_size', 'checkpoint_timeout', 'max_connections', 'autovacuum', 'track_commit_timestamp'],
]

export type BenchServer = {
  /** The process id of the postmaster, the parent of all processes of PostgreSQL. */
  pid: number
  settings: Record<string, string>
  /**
   * Makes a fresh copy of the database with this number of rooms, for this process alone, and drops its previous copy
   * of the same label. `ledger`: so many messages are in it already (`growLedger`).
   */
  clone(rooms: number, label?: 'a' | 'b', ledger?: number): Promise<string>
  /** Drops the copies; the server stops with its last user. */
  stop(): Promise<void>
}

/** Deletes everything that the benchmark keeps between runs. */
export async function forgetDatabases(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true })
}

/**
 * The benchmark's own PostgreSQL, as durable as the embedded one. Its data folder stays: loaded databases are kept as
 * templates, named after the schema, the loader, the number of rooms and the locale.
 */
export async function startDatabase(log: (line: string) => void, locale?: string): Promise<BenchServer> {
  await mkdir(FOLDER, { recursive: true })
  // If this process is root, PostgreSQL runs as another user, who needs access to the folder.
  await chmod(FOLDER, 0o755)
  let server = await startEmbedded({ dataDir: DATA_DIR, log })
  if ((await show(server.url, 'track_commit_timestamp')) === 'off') {
    for (const [name, value] of Object.entries(TUNING)) {
      await on(server.url, (client) => client.query(`alter system set ${name} = '${value}'`))
    }
    await server.stop()
    server = await startEmbedded({ dataDir: DATA_DIR, log })
  }
  const { url, stop } = server
  return {
    pid: Number((await readFile(join(await realpath(DATA_DIR), 'postmaster.pid'), 'utf8')).split('\n')[0]),
    settings: Object.fromEntries(
      await Promise.all(SETTINGS.map(async (name) => [name, await show(url, name)] as const)),
    ),
    clone: (rooms, label = 'a', ledger = 0) => clone(url, { rooms, locale, ledger }, `${COPY}_${label}`, log),
    stop: async () => {
      for (const label of ['a', 'b'])
        await on(url, (client) => client.query(`drop database if exists ${COPY}_${label} with (force)`))
      await stop()
    },
  }
}

/** A connection for the benchmark's own queries. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'bench' })
  // The next statement on a lost connection fails with a better error.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

type Wanted = { rooms: number; locale: string | undefined; ledger: number }

async function clone(
  url: string,
  wanted: Wanted,
  copy: string,
  log: (line: string) => void,
): Promise<string> {
  const template = await ensureTemplate(url, wanted, log)
  await on(url, async (client) => {
    const { abandoned, busy } = await otherCopies(client)
    if (busy.length > 0) log('WARNING: another bench uses the same server: the figures will be off')
    for (const name of [copy, ...abandoned]) {
      await client.query(`drop database if exists ${name} with (force)`)
    }
    await client.query(`create database ${copy} template ${template} strategy file_copy`)
    await client.query('checkpoint')
  })
  return withDatabase(url, copy)
}

/** The database copies of other benchmarks: of those that were killed, and of those that are running. */
async function otherCopies(client: pg.Client): Promise<{ abandoned: string[]; busy: string[] }> {
  const { rows } = await client.query<{ name: string }>(
    `select datname as name from pg_database where datname ~ '^bench_run_[0-9]+' and not starts_with(datname, $1)`,
    [`${COPY}_`],
  )
  const isBusy = (name: string) => isAlive(Number(/[0-9]+/.exec(name)?.[0]))
  const names = rows.map((row) => row.name)
  return { abandoned: names.filter((name) => !isBusy(name)), busy: names.filter(isBusy) }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function ensureTemplate(url: string, wanted: Wanted, log: (line: string) => void): Promise<string> {
  const { rooms, locale, ledger } = wanted
  const ofLocale = locale ? `_${locale.toLowerCase().replaceAll(/\W/g, '')}` : ''
  const template = `bench_${fingerprint()}_${rooms}${ofLocale}${ledger > 0 ? `_${ledger}` : ''}`
  const { rowCount } = await on(url, (c) =>
    c.query('select 1 from pg_database where datname = $1', [template]),
  )
  if (rowCount === 1) return template
  const base = ledger > 0 ? await ensureTemplate(url, { ...wanted, ledger: 0 }, log) : undefined
  const draft = `${template}_draft_${process.pid}`
  const ofBase = base ? `template ${base} strategy file_copy` : undefined
  await on(url, (client) => client.query(`drop database if exists ${draft} with (force)`))
  await on(url, async (client) =>
    client.query(`create database ${draft} ${ofBase ?? (await localeSql(client, locale))}`),
  )
  log(
    `loading ${ledger > 0 ? `${ledger} messages` : `${rooms} chatrooms`} (kept for the next run under ${FOLDER})`,
  )
  await fill(withDatabase(url, draft), wanted, log)
  await on(url, (client) => client.query(`alter database ${draft} rename to ${template}`))
  return template
}

async function fill(url: string, { rooms, ledger }: Wanted, log: (line: string) => void): Promise<void> {
  if (ledger > 0) return growLedger(url, { rooms, ledger }, log)
  await migrate(url)
  await loadRooms(url, rooms, log)
}

/** A hash that changes with the schema and with the loader. */
function fingerprint(): string {
  const hash = createHash('sha256')
  const files = [
    ...readdirSync(join(projectRoot(), 'drizzle')).map((name) => join(projectRoot(), 'drizzle', name)),
    ...['load.ts', 'people.ts', 'grown-ledger.ts'].map((name) => join(projectRoot(), 'test/bench', name)),
  ]
  for (const file of files.sort()) if (statSync(file).isFile()) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 10)
}

async function show(url: string, setting: string): Promise<string> {
  const { rows } = await on(url, (client) => client.query(`show ${setting}`))
  return String(rows[0]?.[setting])
}

async function on<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}
