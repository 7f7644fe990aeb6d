import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { projectRoot } from '../../src/project-root.ts'
import { eventually } from '../support/patience.ts'
import { isRunning } from '../support/programs.ts'

const SUPPORT = join(projectRoot(), 'test/support')

/** A program that starts an idle process of the harness, prints the pids of itself and of that, and waits. */
const PARENT = `
  import { endWithNpm, spawnWatched } from '${SUPPORT}/watched.ts'
  endWithNpm()
  const child = spawnWatched(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log("up")'])
  child.stdout.once('data', () => console.log(JSON.stringify([process.pid, child.pid])))
  setInterval(() => {}, 1000)`

/** Runs the parent in a folder of its own; gives the pids of the command, the parent and its child. */
async function start(command: string, ...args: string[]): Promise<[number, number, number]> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-watched-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'parent.mjs'), PARENT)
  const run = `exec node --import ${join(projectRoot(), 'node_modules/tsx/dist/loader.mjs')} parent.mjs`
  await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { parent: run } }))
  const commandArgs = args.length > 0 ? args : ['-c', run]
  const child = spawn(command, commandArgs, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  const [, parent, grandchild] = await eventually(() => /\[(\d+),(\d+)\]/.exec(text) ?? false)
  const pids = [child.pid!, Number(parent), Number(grandchild)] satisfies [number, number, number]
  onTestFinished(() => {
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  })
  expect(pids.map(isRunning)).toEqual([true, true, true])
  return pids
}

const allEnd = (pids: number[]) => eventually(() => !pids.some(isRunning))

describe('a process of the harness', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ends when %s ends the process that started it',
    async (signal) => {
      const [, parent, child] = await start('sh')
      process.kill(parent, signal)
      await allEnd([parent, child])
    },
  )

  it('ends with the process that started it although SIGSTOP has frozen it', async () => {
    const [, parent, child] = await start('sh')
    process.kill(child, 'SIGSTOP')
    process.kill(parent, 'SIGKILL')
    await allEnd([parent, child])
  })

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'ends when %s ends the npm that runs its command',
    async (signal) => {
      const [npm, parent, child] = await start('npm', 'run', '-s', 'parent')
      expect(npm).not.toBe(parent)
      process.kill(npm, signal)
      await allEnd([npm, parent, child])
    },
  )
})
