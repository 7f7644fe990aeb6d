import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it, type TestContext } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { engines } from '../support/app.ts'
import { makeFolder } from '../support/faults/lab/stores.ts'
import { eventually } from '../support/patience.ts'
import { spawnWatched } from '../support/watched.ts'

const run = promisify(execFile)

type Process = { pid: number; parent: number; state: string; command: string }

/** All processes of this machine that have not ended. */
async function processes(): Promise<Process[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,ppid=,stat=,args='])
  const all = stdout.split('\n').map((line) => {
    const [, pid, parent, state = 'Z', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    return { pid: Number(pid), parent: Number(parent), state, command }
  })
  return all.filter(({ state }) => !state.startsWith('Z'))
}

/** The processes that a process has started, those that these have started, and so on. */
function descendants(pid: number, all: Process[]): Process[] {
  return all
    .filter(({ parent }) => parent === pid)
    .flatMap((child) => [child, ...descendants(child.pid, all)])
}

const OPTIONS = ['--minutes', '5', '--every', '0.1', '--only', 'postgres: frozen', '--engine']

const isFrozen = ({ state }: Process) => state.startsWith('T')

/** Starts a soak of minutes that freezes PostgreSQL again and again, and waits until it is frozen. */
async function startFrozenSoak(t: TestContext, engine: string) {
  const folder = await makeFolder('usher-cut-off-')
  const { PATH, HOME } = process.env
  const soak = spawnWatched(
    process.execPath,
    ['--import', 'tsx', 'test/faults/main.ts', 'soak', ...OPTIONS, engine],
    {
      cwd: projectRoot(),
      env: { PATH, HOME, TMPDIR: folder },
    },
  )
  soak.stdout.resume()
  soak.stderr.pipe(process.stderr)
  t.onTestFinished(async () => {
    soak.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const started = await eventually(async () => {
    const found = descendants(soak.pid!, await processes())
    return found.some(isFrozen) && found
  })
  return { soak, folder, started: new Set(started.map(({ pid }) => pid)) }
}

describe.concurrent('a soak that is cut off while PostgreSQL is frozen', () => {
  it.for([
    ['SIGINT', 'postgres'],
    ['SIGTERM', 'postgres'],
    ['SIGKILL', engines().at(-1)!],
  ] as const)('by %s, with its queue on %s, leaves no process behind', async ([signal, engine], t) => {
    const { soak, folder, started } = await startFrozenSoak(t, engine)
    expect(started.size).toBeGreaterThan(10)
    soak.kill(signal)
    await eventually(async () => {
      const left = (await processes()).filter(
        ({ pid, command }) => started.has(pid) || command.includes(folder),
      )
      if (left.length > 0) throw new Error(left.map(({ pid, command }) => `${pid} ${command}`).join('\n'))
    })
  })
})
