import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import { projectRoot } from '../../src/project-root.ts'
import { readRouted } from './measure.ts'
import { startFile } from './processes.ts'
import { SECRET } from './requests.ts'
import { running, VARIANTS, type Variant } from './variants.ts'

/** A variant that is compared with libraries. `stored` gives the time in ms at which each message of a run was stored, by its place. */
export type Contender = Variant & {
  prepare(client: pg.Client): Promise<void>
  stored(client: pg.Client, run: string): Promise<Map<number, number>>
}

const FOLDER = join(tmpdir(), 'usher-bench', 'peers')
const SOURCES = join(projectRoot(), 'test/bench/peers')

const TABLE = `create table if not exists peer_messages (wamid text primary key, phone_id text not null, sender text,
  payload json not null, at timestamptz not null default clock_timestamp())`

const usher = (variant: Variant): Contender => ({
  ...variant,
  prepare: async () => undefined,
  stored: async (client, run) => (await readRouted(client, { run })).messages,
})

/** A library of npm in a folder of its own; `file` is its server in `test/bench/peers`. */
const peer = (file: string, packages: string[], needsRedis = false): Contender => ({
  title: packages[0] ?? file,
  needsRedis,
  async prepare(client) {
    await client.query(TABLE)
    await install(file, packages)
  },
  async start({ databaseUrl, redisUrl = '' }) {
    const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, META_APP_SECRET: SECRET }
    return running([await startFile(file, join(FOLDER, file, `${file}.mjs`), env)], undefined)
  },
  stored: readPeer,
})

/** Usher on both engines, and the libraries, each in the version that was looked at. */
export const CONTENDERS: Contender[] = [
  usher(VARIANTS.redis),
  usher(VARIANTS.postgres),
  peer('kapso', ['@kapso/whatsapp-cloud-api@0.3.0']),
  peer('whatsapp-api-js', ['whatsapp-api-js@6.3.0']),
  peer(
    'chat-sdk',
    ['@chat-adapter/whatsapp@4.41.1', '@chat-adapter/state-redis@4.41.1', 'chat@4.41.1'],
    true,
  ),
]

/** Installs the packages, with Usher's own versions of Express and pg, unless that was done before. */
async function install(file: string, packages: string[]): Promise<void> {
  const folder = join(FOLDER, file)
  const { dependencies } = JSON.parse(await readFile(join(projectRoot(), 'package.json'), 'utf8'))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const common = ['express', 'pg'].map((name) => `${name}@${dependencies[name]}`)
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', ...packages, ...common], {
    cwd: folder,
  })
  for (const name of ['shared.mjs', `${file}.mjs`]) await cp(join(SOURCES, name), join(folder, name))
}

async function readPeer(client: pg.Client, run: string): Promise<Map<number, number>> {
  const { rows } = await client.query<{ wamid: string; at: string }>(
    'select wamid, extract(epoch from at) * 1000 as at from peer_messages where wamid >= $1 and wamid < $2',
    [`wamid.${run}.`, `wamid.${run}/`],
  )
  return new Map(rows.map(({ wamid, at }) => [Number(wamid.slice(wamid.lastIndexOf('.') + 1)), Number(at)]))
}
