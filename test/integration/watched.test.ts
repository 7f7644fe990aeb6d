import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { eventually } from '../support/patience.ts'
import { isRunning } from '../support/programs.ts'

const TSX = join(projectRoot(), 'node_modules/tsx/dist/loader.mjs')
const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const

/** A program that starts an idle process of the harness, prints the pids of itself and of that, and waits. */
const PARENT = `
  import { endWithNpm, spawnWatched, whenGone } from '${projectRoot()}/test/support/watched.ts'
  endWithNpm()
  whenGone('echo > gone')
  whenGone('echo > cancelled').cancel()
  const child = spawnWatched(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  child.stdout.once('data', () => console.log(JSON.stringify([process.pid, child.pid])))
  setInterval(() => {}, 1000)`
const RUN = `exec node --import ${TSX} parent.mjs`

type Family = { folder: string; command: number; parent: number; child: number }

/** Runs the parent in a folder of its own, by a shell or by npm. */
async function start(command: 'sh' | 'npm'): Promise<Family> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-watched-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'parent.mjs'), PARENT)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { parent: RUN } }))
  const args = command === 'sh' ? ['-c', RUN] : ['run', '-s', 'parent']
  const started = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  started.stdout.on('data', (chunk) => {
    text += chunk
  })
  const pids = await eventually(() => /\[(\d+),(\d+)\]/.exec(text) ?? false)
  const family = { folder, command: started.pid!, parent: Number(pids[1]), child: Number(pids[2]) }
  onTestFinished(() => {
    for (const pid of running(family)) process.kill(pid, 'SIGKILL')
  })
  expect(running(family)).toEqual([family.command, family.parent, family.child])
  return family
}

const running = ({ command, parent, child }: Family) => [command, parent, child].filter(isRunning)
const allEnd = (family: Family) => eventually(() => running(family).length === 0)

describe('a process of the harness', () => {
  it.each(SIGNALS)('ends when %s ends the process that started it', async (signal) => {
    const family = await start('sh')
    process.kill(family.parent, signal)
    await allEnd(family)
  })

  it('ends with the process that started it although SIGSTOP has frozen it', async () => {
    const family = await start('sh')
    process.kill(family.child, 'SIGSTOP')
    process.kill(family.parent, 'SIGKILL')
    await allEnd(family)
  })

  it.each(SIGNALS)('ends when %s ends the npm that runs its command', async (signal) => {
    const family = await start('npm')
    expect(family.command).not.toBe(family.parent)
    process.kill(family.command, signal)
    await allEnd(family)
  })
})

it('a command for the end of a process runs although SIGKILL ended it, unless it was cancelled', async () => {
  const family = await start('sh')
  process.kill(family.parent, 'SIGKILL')
  await allEnd(family)
  const files = () => readdir(family.folder)
  await expect.poll(files).toContain('gone')
  expect(await files()).not.toContain('cancelled')
})
